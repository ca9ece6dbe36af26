// The whole page takes what is dropped. Over a folder it lands in that folder.
import { useEffect, useRef, useState } from "react";
import { type Dropped, takeDrop } from "../../transfers/read-drop";

/** The folder over which files are held, or nothing while none are. */
export function useDrop(
  enabled: boolean,
  folder: string,
  onDrop: (dropped: Dropped, folder: string) => void,
): string | null {
  const [over, setOver] = useState<string | null>(null);
  const latest = useRef({ folder, onDrop });
  latest.current = { folder, onDrop };
  useEffect(() => {
    if (!enabled) return;
    let marked: HTMLElement | null = null;
    const mark = (next: HTMLElement | null) => {
      if (marked === next) return;
      marked?.removeAttribute("data-over");
      next?.setAttribute("data-over", "true");
      marked = next;
    };
    const end = () => {
      mark(null);
      setOver(null);
    };
    const hold = (event: DragEvent) => {
      if (!event.dataTransfer || !holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
      const target = folderAt(event.target);
      mark(target);
      setOver(target?.dataset.folder ?? latest.current.folder);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) end();
    };
    const drop = (event: DragEvent) => {
      if (!event.dataTransfer || !holdsFiles(event.dataTransfer)) return;
      event.preventDefault();
      const target = folderAt(event.target)?.dataset.folder ?? latest.current.folder;
      end();
      latest.current.onDrop(takeDrop(event.dataTransfer), target);
    };
    document.addEventListener("dragover", hold);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      end();
      document.removeEventListener("dragover", hold);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, [enabled]);
  return over;
}

const holdsFiles = (data: DataTransfer) => data.types.includes("Files");

function folderAt(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-folder]") : null;
}
