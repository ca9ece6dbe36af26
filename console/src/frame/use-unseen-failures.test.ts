// @vitest-environment happy-dom
import { act, createElement } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Operation, OperationState } from "../api/types";
import { useUnseenFailures } from "./use-unseen-failures";

const page = vi.hoisted(() => ({
  pathname: "/bundles",
  changed: (_: Operation) => {},
  reset: () => {},
}));
vi.mock("@tanstack/react-router", () => ({
  useLocation: ({ select }: { select: (at: { pathname: string }) => unknown }) => select(page),
}));
vi.mock("../api/use-live", () => ({
  useOperationChanges: (changed: typeof page.changed, reset: typeof page.reset) => {
    Object.assign(page, { changed, reset });
  },
}));

let root: Root;
let counted: number;

function Counting() {
  counted = useUnseenFailures();
  return null;
}

const show = () => act(async () => root.render(createElement(Counting)));
const told = (id: string, state: OperationState) =>
  act(async () => page.changed({ id, state } as Operation));
const goTo = (pathname: string) => {
  page.pathname = pathname;
  return show();
};

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  root = createRoot(document.createElement("div"));
  await goTo("/bundles");
});

afterEach(async () => {
  await act(async () => root.unmount());
  vi.unstubAllGlobals();
});

it("counts each operation that fails, once, and none that ends otherwise", async () => {
  expect(counted).toBe(0);
  await told("a", "failed");
  await told("a", "failed");
  await told("b", "succeeded");
  await told("c", "cancelled");
  await told("d", "failed");
  expect(counted).toBe(2);
});

it("counts from nothing once Activity was looked at, and nothing meanwhile", async () => {
  await told("a", "failed");
  await goTo("/activity");
  expect(counted).toBe(0);
  await told("b", "failed");
  await goTo("/bundles");
  expect(counted).toBe(0);
  await told("c", "failed");
  expect(counted).toBe(1);
});

it("counts from nothing where some may not have been told", async () => {
  await told("a", "failed");
  await act(async () => page.reset());
  expect(counted).toBe(0);
});
