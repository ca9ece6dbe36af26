// The list of keys, opened with `?`.
import { Kbd, Modal } from "@mantine/core";
import classes from "./KeysHelp.module.css";
import { SECTIONS } from "./sections";

const KEYS: ReadonlyArray<readonly [keys: readonly string[], what: string]> = [
  [["Ctrl", "K"], "Go anywhere, run anything"],
  [["/"], "Search on this page"],
  [["?"], "This list"],
  ...SECTIONS.map(({ name, key }) => [["g", key], name] as const),
  [["Space"], "In Files: look at the file (Enter opens, F2 moves, Del deletes)"],
  [["z"], "In Files: download, several as a ZIP (L shares, M moves, Ctrl Z undoes deleting)"],
  [["Ctrl", "Space"], "In Files: choose it (Ctrl A: all, Shift and arrows: on from there)"],
  [["Enter"], "In a log's search: next hit (with Shift: the one before)"],
  [["End"], "In a log: to the newest line, and follow"],
  [["Esc"], "Close what is open"],
];

export function KeysHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size="md">
      <dl className={classes.list}>
        {KEYS.map(([keys, what]) => (
          <div key={what} className={classes.row}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key} mr={4}>
                  {key}
                </Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
