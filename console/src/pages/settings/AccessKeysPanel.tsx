// Access keys: what one's S3 clients sign with.
import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { accessKeyList } from "../../api/bucket-settings";
import { api, take } from "../../api/client";
import type { AccessKey, AccessKeyIssued } from "../../api/types";
import { CopyLine } from "../../components/CopyLine";
import { type CredentialKind, CredentialsPanel, LIFETIMES } from "./CredentialsPanel";

const ACCESS_KEYS: CredentialKind<AccessKey, AccessKeyIssued> = {
  title: "Access keys",
  lead: "For aws, rclone, boto3 and everything else that speaks S3. A key can do at most what you can.",
  one: "access key",
  many: "the access keys",
  empty: "You have no access key yet. Create one above for an S3 client.",
  placeholder: "What it is for, such as rclone-at-home",
  uses: [
    { value: "files:read", label: "Read files", about: "list and get them" },
    { value: "files:write", label: "Change files", about: "put and delete them" },
  ],
  lifetimes: [LIFETIMES.quarter, LIFETIMES.year, LIFETIMES.never],
  start: { scopes: ["files:read", "files:write"], expiresIn: LIFETIMES.year.value },
  list: accessKeyList,
  create: ({ name, scopes, expiresIn }) =>
    take(
      api.POST("/api/v1/access-keys", {
        body: {
          name,
          scopes,
          ...(expiresIn === "" ? {} : { expires_in: Number(expiresIn) }),
        },
      }),
    ),
  remove: (id) => api.DELETE("/api/v1/access-keys/{id}", { params: { path: { id } } }),
  mark: ({ key }) => <span className="mono">{key}</span>,
  once: ({ key, secret }) => ({
    secret: `AWS_ACCESS_KEY_ID=${key}\nAWS_SECRET_ACCESS_KEY=${secret}`,
    called: "secret",
    label: "Copy key and secret",
    trying: (
      <>
        <Text size="sm" mt="sm" mb={6}>
          Try it, at the address that the S3 protocol is served on (s3_listen in the configuration):
        </Text>
        <CopyLine text="aws --endpoint-url http://127.0.0.1:8012 s3 ls" />
      </>
    ),
  }),
};

export function AccessKeysPanel() {
  return <CredentialsPanel kind={ACCESS_KEYS} query={useQuery(accessKeyList)} />;
}
