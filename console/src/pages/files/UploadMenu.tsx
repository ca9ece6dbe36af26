// Uploading without a mouse that drags: some files, or a folder with all that is in it.
import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconFile, IconFolder, IconUpload } from "@tabler/icons-react";
import { type ChangeEvent, useRef } from "react";

// An attribute that browsers know and the types do not.
const WHOLE_FOLDER: object = { webkitdirectory: "" };

export function UploadMenu({ onChoose }: { onChoose: (files: File[]) => void }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    const field = event.currentTarget;
    onChoose([...(field.files ?? [])]);
    // The same again is a choice, too.
    field.value = "";
  };
  const hidden = { type: "file", multiple: true, hidden: true, onChange: chosen } as const;
  return (
    <>
      <input {...hidden} ref={files} aria-label="Files to upload" />
      <input {...hidden} ref={folder} aria-label="Folder to upload" {...WHOLE_FOLDER} />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            leftSection={<IconUpload size={16} aria-hidden />}
            rightSection={<IconChevronDown size={14} aria-hidden />}
          >
            Upload
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconFile size={16} aria-hidden />}
            onClick={() => files.current?.click()}
          >
            Files…
          </Menu.Item>
          <Menu.Item
            leftSection={<IconFolder size={16} aria-hidden />}
            onClick={() => folder.current?.click()}
          >
            A folder…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
