import { describe, expect, it } from "vitest";
import { nameProblem } from "./names";

describe("a name", () => {
  it.each(["a", "7", "anna", "Anna.B-c_d", " anna ", "a".repeat(64)])("may be %j", (name) => {
    expect(nameProblem(name)).toBeNull();
  });

  it.each(["", "  ", "deploy from CI", ".env", "-rf", "a/b", "añb", "a".repeat(65)])(
    "cannot be %j",
    (name) => {
      expect(nameProblem(name)).not.toBeNull();
    },
  );
});
