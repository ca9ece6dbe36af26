// The whole log as a file: in plain words, or as it was written.
import { ActionIcon, Menu } from "@mantine/core";
import { IconDownload, IconFileText, IconPalette } from "@tabler/icons-react";

export function DownloadMenu({ operation }: { operation: string }) {
  const address = `/api/v1/operations/${operation}/log.txt`;
  return (
    // A log of no lines is lower than the menu, and cuts off what is not fixed.
    <Menu position="bottom-end" floatingStrategy="fixed">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label="Download the whole log">
          <IconDownload size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown
        onKeyDown={(event) => {
          // Esc is for the menu, and not for the log that fills the window.
          if (event.key === "Escape") event.preventDefault();
        }}
      >
        <Menu.Item
          component="a"
          href={address}
          download
          leftSection={<IconFileText size={16} aria-hidden />}
        >
          As plain text
        </Menu.Item>
        <Menu.Item
          component="a"
          href={`${address}?colours=true`}
          download
          leftSection={<IconPalette size={16} aria-hidden />}
        >
          With its colours
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
