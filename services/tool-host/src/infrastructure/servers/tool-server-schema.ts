import { z } from 'zod';

/** A tool as its server names it, where `*` stands for anything. */
const toolPattern = z.string().min(1).max(128);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable');
const effect = z.enum(['READ_ONLY', 'IDEMPOTENT', 'NON_REPEATABLE']);
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a hash as it is logged: 64 of 0 to 9 and a to f');

const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens, 32 at most'),
  effect: z.record(toolPattern, effect).default({}),
  trust_annotations: z.boolean().default(false),
  tools: z
    .strictObject({ allow: z.array(toolPattern).max(512).optional(), deny: z.array(toolPattern).max(512).optional() })
    .default({}),
  default: z.enum(['ask', 'allow']).default('ask'),
  timeout_seconds: z.number().min(0.1).max(3600).default(60),
  output_bytes: z
    .int()
    .min(256)
    .max(1024 * 1024)
    .default(50 * 1024),
  pin: z.enum(['first_seen', 'file', 'none']).default('first_seen'),
  pinned: z.record(z.string().min(1).max(128), hash).default({}),
};

/** What the key `auth` may say. */
const auth = z.union([z.enum(['none', 'forward_user']), z.strictObject({ bearer_env: variable })], {
  error: 'must be none, forward_user or {bearer_env: NAME}',
});

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

const httpServer = z
  .strictObject({
    ...common,
    kind: z.literal('mcp-http'),
    url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
    auth: auth.default('none'),
  })
  .superRefine(({ url, auth }, context) => {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined) {
      return;
    }
    const issue = (message: string) => context.addIssue({ code: 'custom', path: ['url'], message });
    if (parsed.username !== '' || parsed.password !== '') {
      issue('must have no user and password: use auth');
    }
    if (auth !== 'none' && parsed.protocol !== 'https:' && !loopback.test(parsed.hostname)) {
      issue('must be https: a token is sent there');
    }
  });

const stdioServer = z.strictObject({
  ...common,
  kind: z.literal('mcp-stdio'),
  command: z.string().min(1).max(4096),
  args: z.array(z.string().max(16_384)).max(256).default([]),
  env: z.record(variable, z.union([z.string(), z.strictObject({ from_env: variable })])).default({}),
});

/** What `tool-servers.yaml` may say. A key that is not here is a typing error, not an option. */
export const toolServersFile = z.strictObject({
  servers: z
    .array(z.discriminatedUnion('kind', [httpServer, stdioServer]))
    .max(128)
    .default([]),
});

export type ToolServerEntry = z.output<typeof toolServersFile>['servers'][number];
