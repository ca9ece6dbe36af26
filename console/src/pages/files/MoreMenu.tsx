// What is seldom needed: the trash and the bucket itself.
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconFiles, IconHistory, IconSettings, IconTrash } from "@tabler/icons-react";
import { type Heap, may } from "../../api/files";
import type { Bucket } from "../../api/types";
import { MenuLink } from "../../components/links";

interface MoreMenuProps {
  bucket: Bucket;
  view: Heap | undefined;
  onView: (view: Heap | undefined) => void;
}

export function MoreMenu({ bucket, view, onView }: MoreMenuProps) {
  const changes = may(bucket, "change");
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="More of this bucket">
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {view !== undefined && (
          <Menu.Item
            leftSection={<IconFiles size={16} aria-hidden />}
            onClick={() => onView(undefined)}
          >
            Files
          </Menu.Item>
        )}
        {view !== "trash" && (
          <Menu.Item
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={() => onView("trash")}
          >
            Trash
          </Menu.Item>
        )}
        {view !== "versions" && (
          <Menu.Item
            leftSection={<IconHistory size={16} aria-hidden />}
            onClick={() => onView("versions")}
          >
            Older versions
          </Menu.Item>
        )}
        <MenuLink
          to={changes ? "/buckets/$bucket/rules" : "/buckets/$bucket/about"}
          params={{ bucket: bucket.name }}
          leftSection={<IconSettings size={16} aria-hidden />}
        >
          {changes ? "Bucket settings" : "About this bucket"}
        </MenuLink>
      </Menu.Dropdown>
    </Menu>
  );
}
