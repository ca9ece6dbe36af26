// Puts the console onto the page: theme, cache, dialogs, router.
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./base.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onCsrfRefused, onSignedOut } from "./api/client";
import { queryClient } from "./api/query-client";
import { forgetSession, sessionQuery } from "./api/session";
import { watchFocus } from "./components/dialogs";
import { router } from "./router";
import { cssVariablesResolver, theme } from "./theme";

const schemes = localStorageColorSchemeManager({ key: "longshore-color-scheme" });

watchFocus();
onSignedOut(forgetSession);
onCsrfRefused(() => queryClient.refetchQueries({ queryKey: sessionQuery.queryKey }));

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariablesResolver}
        colorSchemeManager={schemes}
        defaultColorScheme="auto"
      >
        <QueryClientProvider client={queryClient}>
          <ModalsProvider>
            <Notifications limit={3} position="bottom-right" />
            <RouterProvider router={router} />
          </ModalsProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
