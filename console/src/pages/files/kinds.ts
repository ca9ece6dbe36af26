// What kind of thing a file is, for its icon and for how it can be looked at.
import {
  IconFile,
  IconFileMusic,
  IconFileText,
  IconFileTypePdf,
  IconFileZip,
  IconMovie,
  IconPhoto,
  type TablerIcon,
} from "@tabler/icons-react";

export type Kind = "image" | "video" | "audio" | "text" | "pdf" | "archive" | "other";

const IMAGES = /^image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)$/;
const TEXTS =
  /^(text\/.*|application\/(json|xml|x?yaml|x-yaml|toml|javascript|x-sh|x-httpd-php|sql|graphql|x-ndjson|ld\+json)|.*\+(json|xml|yaml))$/;
const ARCHIVES = /(zip|tar|gzip|x-7z|x-rar|x-bzip|x-xz|zstd)/;

/** By what a file is said to be, and where that tells nothing by how it looks. */
export function kindOf(type: string, sniffed: string): Kind {
  const said = kindOfType(type);
  return said === "other" ? kindOfType(sniffed) : said;
}

function kindOfType(type: string): Kind {
  const bare = (type.split(";")[0] ?? "").trim().toLowerCase();
  if (IMAGES.test(bare)) return "image";
  if (bare === "application/pdf") return "pdf";
  if (bare.startsWith("video/")) return "video";
  if (bare.startsWith("audio/")) return "audio";
  if (TEXTS.test(bare)) return "text";
  if (ARCHIVES.test(bare)) return "archive";
  return "other";
}

export const KIND_ICONS: Record<Kind, TablerIcon> = {
  image: IconPhoto,
  video: IconMovie,
  audio: IconFileMusic,
  text: IconFileText,
  pdf: IconFileTypePdf,
  archive: IconFileZip,
  other: IconFile,
};
