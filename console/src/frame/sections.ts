// The sections that exist. The navigation, the palette and the `g` keys all
// read this list, so that none of them can offer what is not there.
import {
  IconActivity,
  IconArrowsTransferUp,
  IconFolder,
  IconLayoutDashboard,
  IconPackage,
  IconSettings,
  type TablerIcon,
} from "@tabler/icons-react";

export interface Section {
  name: string;
  to: "/" | "/files" | "/bundles" | "/syncs" | "/activity" | "/settings";
  key: string;
  Icon: TablerIcon;
  about: string;
}

export const SECTIONS: readonly Section[] = [
  {
    name: "Dashboard",
    to: "/",
    key: "d",
    Icon: IconLayoutDashboard,
    about: "What runs now and what ended lately",
  },
  {
    name: "Files",
    to: "/files",
    key: "f",
    Icon: IconFolder,
    about: "Buckets, folders and what is in them",
  },
  {
    name: "Bundles",
    to: "/bundles",
    key: "b",
    Icon: IconPackage,
    about: "Fetch a list of addresses into one zip",
  },
  {
    name: "Syncs",
    to: "/syncs",
    key: "y",
    Icon: IconArrowsTransferUp,
    about: "What is delivered from where to where",
  },
  {
    name: "Activity",
    to: "/activity",
    key: "a",
    Icon: IconActivity,
    about: "Every operation, sorted and filtered",
  },
  {
    name: "Settings",
    to: "/settings",
    key: "s",
    Icon: IconSettings,
    about: "Account, users, API tokens, secrets, schedules, audit",
  },
];
