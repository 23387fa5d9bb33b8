/** What looks like a secret: replaced wherever it stands, before a model, a log or a store gets to see it. */
const secrets: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // JSON Web Tokens: three parts of base64url, the first two of which begin as `{"` does.
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g, '[redacted token]'],
  [/\b(bearer|basic)([ \t]+)[\w.~+/-]{16,}=*/gi, '$1$2[redacted]'],
  // Whole, or cut off after its beginning.
  [
    /-----BEGIN ([A-Z ]{0,40})PRIVATE KEY-----(?:(?:[^-]|-(?!-))*-----END \1PRIVATE KEY-----|(?:\s{1,4}[\w+/=]{32,80})+)/g,
    '[redacted private key]',
  ],
  // Access keys of AWS, keys of Google, tokens of GitHub, GitLab, Slack, npm, Stripe, OpenAI and Anthropic.
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, '[redacted key]'],
  [/\bAIza[\w-]{35}/g, '[redacted key]'],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,})/g, '[redacted token]'],
  [/\bxox[abeoprs]-[\w-]{10,}/g, '[redacted token]'],
  [/\bnpm_[A-Za-z0-9]{36}\b/g, '[redacted token]'],
  [/\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/g, '[redacted key]'],
  [/\bsk-(?:ant-|proj-|svcacct-)?[\w-]{20,}/g, '[redacted key]'],
  [/\b(aws_secret_access_key["']?\s{0,4}[=:]\s{0,4}["']?)[\w/+]{40}/gi, '$1[redacted]'],
  // User and password in a URL.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/:@"'<>]{1,256}:[^\s/@"'<>]{1,256}@/gi, '$1[redacted]@'],
];

/** The text without what looks like a secret. In time that is linear in its length. */
export function redact(text: string): string {
  return secrets.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
}
