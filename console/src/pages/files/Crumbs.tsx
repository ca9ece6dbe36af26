// Where one is: the bucket, which can be changed, and the folders down to here.
import { Menu, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconDatabase } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { bucketList } from "../../api/files";
import { useMay } from "../../api/session";
import { MenuLink } from "../../components/links";
import { bytes, counted } from "../../format/numbers";
import classes from "./Crumbs.module.css";
import { crumbs, folderOf, toAddress } from "./place";

interface CrumbsProps {
  bucket: string;
  folder: string;
  /** Nothing where a bucket cannot be made. */
  onNewBucket: (() => void) | null;
}

export function Crumbs({ bucket, folder, onNewBucket }: CrumbsProps) {
  const way = crumbs(folder);
  return (
    <nav aria-label="Folders" className={classes.trail}>
      <BucketSwitch bucket={bucket} onNewBucket={onNewBucket} />
      <ol className={classes.list}>
        {folder !== "" && (
          <li>
            <Link
              className={classes.crumb}
              to="/files/$bucket/$"
              params={{ bucket, _splat: "" }}
              data-folder=""
            >
              {bucket}
            </Link>
          </li>
        )}
        {way.map(({ name, folder: path }, index) => {
          const last = index === way.length - 1;
          return (
            <li key={path}>
              {last ? (
                <span aria-current="page" className={classes.here}>
                  {name}
                </span>
              ) : (
                <Link
                  className={classes.crumb}
                  to="/files/$bucket/$"
                  params={{ bucket, _splat: toAddress(path) }}
                  data-folder={path}
                >
                  {name}
                </Link>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

/** The folder above, or nothing at the top. */
export function above(folder: string): string | null {
  return folder === "" ? null : folderOf(folder.slice(0, -1));
}

function BucketSwitch({ bucket, onNewBucket }: Omit<CrumbsProps, "folder">) {
  const { data } = useQuery(bucketList);
  const mayMake = useMay("operator");
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <UnstyledButton className={classes.bucket} aria-label={`Bucket ${bucket}: choose another`}>
          <IconDatabase size={15} aria-hidden />
          <span className="ellipsis">{bucket}</span>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {data?.items.map(({ name, usage }) => (
          <MenuLink
            key={name}
            to="/files/$bucket/$"
            params={{ bucket: name, _splat: "" }}
            aria-current={name === bucket ? "true" : undefined}
          >
            <span className={classes.choice}>
              <span className="ellipsis">{name}</span>
              <span className={classes.usage}>
                {counted(usage.files, "file")}, {bytes(usage.bytes)}
              </span>
            </span>
          </MenuLink>
        ))}
        {mayMake && onNewBucket && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={onNewBucket}>New bucket…</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
