// What is seldom needed: the trash and the bucket's rules.
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconFiles, IconSettings, IconTrash } from "@tabler/icons-react";
import { may } from "../../api/files";
import type { Bucket } from "../../api/types";

interface MoreMenuProps {
  bucket: Bucket;
  trash: boolean;
  onTrash: () => void;
  onSettings: () => void;
}

export function MoreMenu({ bucket, trash, onTrash, onSettings }: MoreMenuProps) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More of this bucket">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={
            trash ? <IconFiles size={16} aria-hidden /> : <IconTrash size={16} aria-hidden />
          }
          onClick={onTrash}
        >
          {trash ? "Files" : "Trash"}
        </Menu.Item>
        <Menu.Item leftSection={<IconSettings size={16} aria-hidden />} onClick={onSettings}>
          {may(bucket, "change") ? "Bucket settings" : "About this bucket"}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
