// The server's nouns under short names. The only file that reaches into the
// generated schema by name, so that a renamed schema is followed in one place.
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Paths = paths;
export type Problem = Schemas["Problem"];
export type Role = Schemas["Role"];
export type Session = Schemas["Session"];
export type User = Schemas["User"];
export type UserSession = Schemas["UserSession"];
export type Token = Schemas["Token"];
export type TokenIssued = Schemas["TokenIssued"];
export type Scope = Schemas["Scope"];
export type Secret = Schemas["Secret"];
export type About = Schemas["About"];
export type Schedule = Schemas["Schedule"];
export type ScheduleRequest = Schemas["ScheduleRequest"];
export type SchedulePatch = Schemas["SchedulePatch"];
export type Missed = Schemas["Missed"];
export type AuditEntry = Schemas["AuditEntry"];

export type Operation = Schemas["OperationView"];
export type OperationDetail = Schemas["DetailedOperation"];
export type OperationState = Schemas["State"];
export type Trigger = Schemas["ShownTrigger"];
export type OperationKind = Schemas["KindInfo"];
export type Progress = Schemas["Progress"];
export type Transition = Schemas["Transition"];
export type LogLine = Schemas["Line"];
export type LogStream = Schemas["Stream"];
export type LogMatches = Schemas["SearchPage"];

/** An operation as others hold it: without what the caller may do with it. */
export type PlainOperation = Schemas["Operation"];

export type Bundle = Schemas["Bundle"];
export type BundleSource = Schemas["BundleSource"];
export type BundleSources = Schemas["SourcePage"];
export type BundleRequest = Schemas["NewBundle"];
export type BundleOptions = Schemas["Options"];

export type Bucket = Schemas["BucketShown"];
// What has a default may be left out of a request, which the generated types do not know.
export type BucketChange = Partial<Schemas["BucketChange"]>;
export type StoredFile = Schemas["File"];
export type PastFile = Schemas["Past"];
export type FolderPage = Schemas["FolderPage"];
export type SumBelow = Schemas["Below"];
export type Share = Schemas["Share"];
export type ShareMade = Schemas["ShareMade"];
export type NewShare = Schemas["ShareBody"];
export type StoredSource = Schemas["StoredRequest"];
export type FileChange = Partial<Schemas["Description"]>;
export type Storage = Schemas["Storage"];
export type Permission = Schemas["Permission"];
export type Grant = Schemas["GrantShown"];
export type NewGrant = Schemas["GrantBody"];
export type Webhook = Schemas["Webhook"];
export type NewWebhook = Schemas["NewWebhook"];
export type WebhookMade = Schemas["MadeWebhook"];
export type Hook = Schemas["Hook"];
export type HookRenewed = Schemas["RenewedHook"];
export type AccessKey = Schemas["AccessKey"];
export type AccessKeyIssued = Schemas["AccessKeyIssued"];

export type Sync = Schemas["Sync"];
export type SyncShown = Schemas["Status"];
export type SyncRule = Schemas["Rule"];
export type SourceRule = Schemas["SourceRule"];
export type StoreRule = Schemas["StoreRule"];
export type TargetRule = Schemas["TargetRule"];
export type When = Schemas["When"];
export type NewSync = Schemas["NewSync"];
export type SyncChange = Schemas["SyncChange"];
export type Delivery = Schemas["DeliveryShown"];
export type DeliveryState = Schemas["DeliveryState"];
export type Tally = Schemas["Tally"];
export type Pass = Schemas["PassRecord"];
export type PassState = Schemas["PassState"];
export type DryRun = Schemas["DryRun"];
export type PlannedFile = Schemas["Planned"];
export type CheckedThing = Schemas["CheckedThing"];
