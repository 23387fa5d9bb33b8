/** That the owner of the session lets a call be executed: with this tool, version and arguments, and no others. */
export interface GivenApproval {
  /** Digest of what was approved. */
  readonly argsHash: string;
  /** What the owner has made of the arguments; undefined when they are as the model gave them. */
  readonly argumentsJson: string | undefined;
  /** `uid` of the owner. */
  readonly approvedBy: string;
}

/** What the owner of a session answers when a call is to be approved. */
export type ApprovalAnswer =
  | { readonly isApproved: true; readonly argumentsJson: string | undefined }
  /** `reason` is for the model; may be empty. */
  | { readonly isApproved: false; readonly reason: string };

/** Reads an answer. What is not clearly an approval is none. */
export function parseApproval(answerJson: string): ApprovalAnswer {
  const value = parseObject(answerJson);
  if (value.approved !== true) {
    return { isApproved: false, reason: typeof value.reason === 'string' ? value.reason : '' };
  }
  const { arguments: edited } = value;
  return { isApproved: true, argumentsJson: edited === undefined ? undefined : JSON.stringify(edited) };
}

function parseObject(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

/** JSON Schema of the answer, with that of the arguments. */
export function approvalSchema(argumentsSchema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { $schema: _, ...schema } = argumentsSchema;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      approved: { type: 'boolean', title: 'True: execute the call. False: do not.' },
      reason: { type: 'string', maxLength: 4000, title: 'Why not, for the model.' },
      arguments: { ...schema, title: 'Other arguments for the call; left out = those that the model gave.' },
    },
    required: ['approved'],
    additionalProperties: false,
  };
}
