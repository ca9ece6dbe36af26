// The cache of what the server said. Live changes are written into it; a failed
// request is tried again only when trying again can help.
import { QueryClient } from "@tanstack/react-query";
import { ProblemError } from "./problem";

const worthAnother = (error: unknown) =>
  error instanceof ProblemError && (error.status === 0 || error.status >= 500);

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && worthAnother(error),
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});
