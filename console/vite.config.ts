import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressedTwins } from "./vite/compress.ts";

const server = process.env.LONGSHORE_URL ?? "http://127.0.0.1:8011";

export default defineConfig({
  plugins: [react(), compressedTwins()],
  build: {
    target: "es2022",
    // light-dark() must stay: what it would be rewritten to does not see Mantine's scheme.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsDir: "assets",
    // Data addresses for scripts or fonts would break the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true, changeOrigin: false },
      "/tus": { target: server, changeOrigin: false },
    },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    // A file that needs a document says so at its head. All files of one worker share it and
    // its modules, whose making would take ten times as long as the tests.
    environment: "node",
    isolate: false,
  },
});
