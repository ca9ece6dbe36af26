// Cancelling an operation and running it again, from whichever page shows it.
import { useMutation } from "@tanstack/react-query";
import { mergeIntoBundle } from "./bundles";
import { cancelOperation, mergeOperation, retryOperation } from "./operations";
import type { Operation } from "./types";

/** `started` is called with the operation that runs it again. */
export function useSteering(id: string, started: (again: Operation) => unknown = () => {}) {
  const cancelling = useMutation({
    mutationFn: () => cancelOperation(id),
    onSuccess: (operation) => {
      mergeOperation(operation);
      mergeIntoBundle(operation);
    },
  });
  const again = useMutation({ mutationFn: () => retryOperation(id), onSuccess: started });
  return {
    cancelling,
    again,
    error: cancelling.error ?? again.error,
    dismiss: () => {
      cancelling.reset();
      again.reset();
    },
  };
}
