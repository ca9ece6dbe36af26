// Why a usual action is not there: the role that it needs.
import { Text } from "@mantine/core";
import { useMay, useSession } from "../api/session";
import type { Role } from "../api/types";

const WHO = { operator: "Operators and admins", admin: "Admins" } as const;
const ONE: Record<Role, string> = {
  viewer: "a viewer",
  operator: "an operator",
  admin: "an admin",
};

interface WhyNotProps {
  /** The least role that may. */
  needs: keyof typeof WHO;
  /** As it goes on after "Operators and admins": "make bundles". */
  what: string;
}

export function WhyNot({ needs, what }: WhyNotProps) {
  const session = useSession();
  const may = useMay(needs);
  if (!session || may) return null;
  return (
    <Text size="sm" c="dimmed">
      {WHO[needs]} {what}, and you are {ONE[session.user.role]}.
    </Text>
  );
}
