/**
 * The tables, as Kysely reads them. One schema for SQLite and PostgreSQL: moments are int8 milliseconds since 1970,
 * truths are 0 or 1, lists are JSON text. migrations/ makes it.
 */
import type {
  ActionStatus,
  ApprovalState,
  CancellationState,
  CommandStatus,
  RequestSource,
} from '@longarm/contract/action';
import type { CommandType } from '@longarm/contract/commands/types';
import type { ActionId, ApplicationId, MachineId, Sha256, TenantId } from '@longarm/contract/ids';
import type { EpochMs } from '@longarm/contract/instant';
import type { EnrolmentState } from '@longarm/contract/machine';
import type { ResultStream } from '@longarm/contract/result';
import type { Generated } from 'kysely';

type Truth = 0 | 1;

export type TenantRow = { id: TenantId; name: string; created_at: EpochMs };

export type ApplicationRow = {
  id: ApplicationId;
  tenant_id: TenantId;
  name: string;
  /** Read no more: application_secrets has them all. */
  secret_sha256: string;
  /** JSON list of role names. */
  roles: string;
  created_at: EpochMs;
  /** JSON list of names of device groups; null for all. */
  device_groups: string | null;
  /** JSON lists. */
  grants: string;
  scopes: string;
  redirect_uris: string;
  is_native: Truth;
};

export type ApplicationSecretRow = {
  id: string;
  application_id: ApplicationId;
  secret_sha256: string;
  created_at: EpochMs;
  expires_at: EpochMs | null;
  last_used_at: EpochMs | null;
};

export type ApplicationCertificateRow = {
  /** SHA-256 of its DER form, base64url. */
  id: string;
  application_id: ApplicationId;
  pem: string;
  subject: string;
  created_at: EpochMs;
  expires_at: EpochMs;
  last_used_at: EpochMs | null;
};

export type PersonRow = {
  /** The claim `oid`. */
  id: string;
  tenant_id: TenantId;
  name: string;
  name_key: string;
  display_name: string;
  password_hash: string | null;
  /** JSON list of PersonRole. */
  roles: string;
  /** JSON list of names; null for all. */
  device_groups: string | null;
  disabled: Truth;
  created_at: EpochMs;
  setup_sha256: string | null;
  setup_expires_at: EpochMs | null;
  /** Encrypted by a key of the data folder. */
  totp_secret: string | null;
  /** The last step that was used. */
  totp_step: number | null;
  /** JSON list of hashes of the codes that are left. */
  recovery_sha256: string;
  last_sign_in_at: EpochMs | null;
  second_factor_required: Truth;
};

export type SecurityKeyRow = {
  /** The credential's, base64url. */
  id: string;
  person_id: string;
  name: string;
  /** COSE_Key, base64url. */
  public_key: string;
  counter: number;
  /** JSON list. */
  transports: string;
  created_at: EpochMs;
  last_used_at: EpochMs | null;
};

export type RefreshTokenRow = {
  token_sha256: string;
  /** All that follow from one sign-in. */
  family: string;
  application_id: ApplicationId;
  person_id: string;
  /** JSON list. */
  scopes: string;
  /** A second factor was given. */
  is_strong: Truth;
  created_at: EpochMs;
  expires_at: EpochMs;
  used_at: EpochMs | null;
};

export type DeviceCodeRow = {
  code_sha256: string;
  user_code: string;
  application_id: ApplicationId;
  scopes: string;
  expires_at: EpochMs;
  polled_at: EpochMs | null;
  interval_ms: number;
  state: 'pending' | 'approved' | 'denied';
  person_id: string | null;
  is_strong: Truth;
};

export type AuthorizationCodeRow = {
  code_sha256: string;
  application_id: ApplicationId;
  person_id: string;
  scopes: string;
  redirect_uri: string;
  challenge: string;
  is_strong: Truth;
  expires_at: EpochMs;
  /** Of the refresh tokens that it was redeemed for; null until then. */
  family: string | null;
};

/** `settings`: JSON of IssuerSettings. */
export type IssuerRow = { id: string; tenant_id: TenantId; url: string; settings: string; created_at: EpochMs };

export type UsedAssertionRow = { id: string; expires_at: EpochMs };

export type EnrolTokenRow = {
  id: string;
  tenant_id: TenantId;
  secret_sha256: string;
  /** JSON list. */
  tags: string;
  uses: number;
  max_uses: number | null;
  expires_at: EpochMs | null;
  revoked: Truth;
  created_at: EpochMs;
  group_id: number | null;
  approval: Truth;
};

export type DeviceGroupRow = {
  id: Generated<number>;
  tenant_id: TenantId;
  name: string;
  /** What makes two names one. */
  name_key: string;
  live_response: Truth;
  approval: Truth;
  created_at: EpochMs;
};

export type MachineRow = {
  id: MachineId;
  tenant_id: TenantId;
  public_key: string;
  hardware_id: Sha256;
  merged_into: MachineId | null;
  dns_name: string;
  os_platform: string;
  os_version: string | null;
  os_processor: string;
  os_build: number | null;
  os_architecture: string;
  version: string;
  agent_version: string;
  aad_device_id: string | null;
  last_ip: string | null;
  last_external_ip: string | null;
  /** JSON list of IpAddressEntity. */
  ip_addresses: string;
  first_seen: EpochMs;
  last_seen: EpochMs;
  /** The connection that it is connected by now, or null. */
  session_id: string | null;
  /** Last counter given to an envelope for this machine. */
  envelope_counter: number;
  group_id: number | null;
  enrolment_state: Generated<EnrolmentState>;
  enrolment_reason: string | null;
  generations: string | null;
  seen_hardware_id: Sha256 | null;
  /** JSON list of fingerprints; null while it has not told. */
  trusted_authorities: Generated<string | null>;
  key_number: Generated<number>;
  former_public_key: Generated<string | null>;
  key_wanted_at: Generated<EpochMs | null>;
};

export type MachineTagRow = { machine_id: MachineId; tag: string };

export type MachineAddressRow = { machine_id: MachineId; address: string; first_seen: EpochMs; last_seen: EpochMs };

export type LibraryFileRow = {
  tenant_id: TenantId;
  name: string;
  sha256: Sha256;
  size_bytes: number;
  description: string | null;
  parameters_description: string | null;
  has_parameters: Truth;
  created_by: string;
  created_at: EpochMs;
  updated_at: EpochMs;
  /** JSON list of author signatures. */
  signatures: string;
  requires_approval: Truth;
};

export type ActionRow = {
  /** Order of acceptance. */
  seq: Generated<number>;
  id: ActionId;
  tenant_id: TenantId;
  machine_id: MachineId;
  computer_dns_name: string;
  type: 'LiveResponse';
  requestor: string;
  comment: string;
  source: RequestSource;
  status: ActionStatus;
  reason: string | null;
  created_at: EpochMs;
  updated_at: EpochMs;
  queue_deadline: EpochMs;
  /** The sum of the commands' limits and the grace, milliseconds. */
  run_ms: number;
  /** From the first claim on; counted anew from acceptance. */
  run_deadline: EpochMs | null;
  accepted_at: EpochMs | null;
  /** While it lasts, an offer is on its way and nobody offers again. */
  lease_until: EpochMs | null;
  holds_slot: Truth;
  /** Signed once, at the first claim. */
  envelope: string | null;
  cancellation_state: CancellationState | null;
  cancellation_requestor: string | null;
  cancellation_comment: string | null;
  cancellation_requested_at: EpochMs | null;
  cancellation_acknowledged_at: EpochMs | null;
  cancellation_effective_at: EpochMs | null;
  /** The group that its machine is in now: so that the list of a group costs no more than what is in it. */
  group_id: number | null;
  /** Who asked, by what does not change; null in rows older than this column. */
  requester: string | null;
  requester_application: ApplicationId | null;
  /** Null where no second person was needed. */
  approval_state: ApprovalState | null;
  approver: string | null;
  approval_reason: string | null;
  approval_decided_at: EpochMs | null;
  /** Its machine is connected; kept true to that for as long as the action is Pending. */
  is_reachable: Truth;
};

export type CommandRow = {
  action_id: ActionId;
  idx: number;
  type: CommandType;
  /** JSON of the command as sent. */
  sent: string;
  /** JSON of the parsed command. */
  parsed: string;
  time_limit_seconds: number;
  file_sha256: Sha256 | null;
  file_size: number | null;
  /** JSON list of the author signatures that were pinned with the file. */
  file_signatures: string;
  status: CommandStatus;
  started_at: EpochMs | null;
  ended_at: EpochMs | null;
  /** JSON list of sentences. */
  errors: string;
  exit_code: number | null;
};

export type ResultRow = {
  action_id: ActionId;
  idx: number;
  stream: ResultStream;
  length_bytes: number;
  /** Null until the last byte is durable. */
  sha256: Sha256 | null;
  /** Null until the device reported the command that it belongs to. */
  reported_at: EpochMs | null;
  name: string;
  cut_bytes: number;
  created_at: EpochMs;
};

/** A result that came with its report, by its hash: as many rows of results as there are may speak of it. */
export type SmallBlobRow = { sha256: Sha256; content: Uint8Array };

export type IdempotencyRow = {
  tenant_id: TenantId;
  caller: string;
  key: string;
  body_sha256: string;
  action_id: ActionId;
  expires_at: EpochMs;
};

export type AuditRow = {
  seq: Generated<number>;
  tenant_id: TenantId;
  at: EpochMs;
  actor: string;
  event: string;
  subject: string;
  /** JSON object. */
  detail: string;
  /** The hash of the entry before. */
  previous: string;
  hash: string;
};

/** One row, id 1: where the chain of the audit ends. */
export type AuditHeadRow = { id: number; seq: number; hash: string };

export type SettingRow = { name: string; value: string };

export type Schema = {
  tenants: TenantRow;
  applications: ApplicationRow;
  application_secrets: ApplicationSecretRow;
  application_certificates: ApplicationCertificateRow;
  used_assertions: UsedAssertionRow;
  people: PersonRow;
  security_keys: SecurityKeyRow;
  issuers: IssuerRow;
  refresh_tokens: RefreshTokenRow;
  device_codes: DeviceCodeRow;
  authorization_codes: AuthorizationCodeRow;
  enrol_tokens: EnrolTokenRow;
  device_groups: DeviceGroupRow;
  machines: MachineRow;
  machine_tags: MachineTagRow;
  machine_addresses: MachineAddressRow;
  library_files: LibraryFileRow;
  actions: ActionRow;
  commands: CommandRow;
  results: ResultRow;
  small_blobs: SmallBlobRow;
  idempotency_keys: IdempotencyRow;
  audit: AuditRow;
  audit_head: AuditHeadRow;
  settings: SettingRow;
};
