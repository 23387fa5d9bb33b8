import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  type InputMessage,
  OnCancel,
  BusyPolicy as ProtoBusyPolicy,
  type RunOptions as ProtoRunOptions,
  type UpdateSessionRequest,
} from '@spanwise/contracts/spanwise/session/v1/session';
import type { ToolPolicy as ProtoToolPolicy } from '@spanwise/contracts/spanwise/type/v1/policy';
import { brandId, DomainError, type RunId } from '@spanwise/kernel';
import { type Identity } from '@spanwise/service-kit';
import { noPolicy, parseRule, type ToolPolicy } from '@spanwise/tool-kit/contract';
import type { Caller } from '../application/ports/caller.ts';
import type { RunOptions } from '../domain/run/run.ts';
import type { BusyPolicy } from '../domain/run/run-repository.ts';
import type { SessionChange } from '../domain/session/session-repository.ts';

/** The agent that answers when the caller names none. */
const defaultAgent = 'default';

export function callerOf({ uid, email, token }: Identity): Caller {
  return { uid, email, token };
}

/** Texts of each message. */
export function textsOf(input: readonly InputMessage[]): readonly (readonly string[])[] {
  return input.map(({ parts }) => parts.flatMap(({ part }) => (part.case === 'text' ? [part.value] : [])));
}

export function runOptionsOf(options: ProtoRunOptions | undefined): RunOptions {
  return {
    agent: options?.agent || defaultAgent,
    model: options?.model ?? '',
    maxTurns: options?.maxTurns ?? 0,
    toolsAllow: options?.toolsAllow ?? [],
    toolsDeny: options?.toolsDeny ?? [],
    timeoutMs: options?.timeout === undefined ? undefined : durationMs(options.timeout),
    interactive: options?.interactive ?? true,
    onCancel: options?.onCancel === OnCancel.DROP ? 'drop' : 'keep',
    toolPolicy: toolPolicyOf(options?.toolPolicy, 'options.tool_policy'),
  };
}

export function busyPolicyOf(policy: ProtoBusyPolicy): BusyPolicy {
  switch (policy) {
    case ProtoBusyPolicy.ENQUEUE:
      return 'enqueue';
    case ProtoBusyPolicy.INTERRUPT:
      return 'interrupt';
    case ProtoBusyPolicy.ROLLBACK:
      return 'rollback';
    default:
      return 'reject';
  }
}

/** An id that may be left out. */
export function optionalRunId(text: string): RunId | undefined {
  return text === '' ? undefined : brandId<RunId>(text);
}

/** Rules for calls of tools. Throws INVALID_FIELD for a rule that can not be read. */
export function toolPolicyOf(message: ProtoToolPolicy | undefined, field: string): ToolPolicy {
  if (message === undefined) {
    return noPolicy;
  }
  const { allow, ask, deny } = message;
  for (const [kind, rules] of Object.entries({ allow, ask, deny })) {
    const index = rules.findIndex((rule) => parseRule(rule) === undefined);
    if (index !== -1) {
      throw invalidField(`${field}.${kind}[${index}]`, 'must be the name of a tool, or tool(target)');
    }
  }
  return { allow, ask, deny };
}

/** What an update changes. Throws INVALID_FIELD for a mask that names nothing, or something else. */
export function sessionChangeOf({ updateMask, title, toolPolicy }: UpdateSessionRequest): SessionChange {
  const paths = updateMask?.paths ?? [];
  if (paths.length === 0 || paths.some((path) => path !== 'title' && path !== 'tool_policy')) {
    throw invalidField('update_mask', 'must name "title", "tool_policy" and nothing else');
  }
  return {
    ...(paths.includes('title') ? { title } : {}),
    ...(paths.includes('tool_policy') ? { toolPolicy: toolPolicyOf(toolPolicy, 'tool_policy') } : {}),
  };
}

/** JSON text as it was sent. Throws INVALID_FIELD for what is none. */
export function jsonOf(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw invalidField('answer_json', 'must be JSON text');
  }
}

function invalidField(field: string, description: string): DomainError {
  return new DomainError('invalid', 'INVALID_FIELD', `Invalid request: ${field} ${description}`, {
    violations: [{ field, description }],
  });
}
