import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  type InputMessage,
  OnCancel,
  BusyPolicy as ProtoBusyPolicy,
  type RunOptions as ProtoRunOptions,
} from '@spanwise/contracts/spanwise/session/v1/session';
import { brandId, DomainError, type RunId } from '@spanwise/kernel';
import { type Identity } from '@spanwise/service-kit';
import type { Caller } from '../application/ports/caller.ts';
import type { RunOptions } from '../domain/run/run.ts';
import type { BusyPolicy } from '../domain/run/run-repository.ts';

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

/** "title" is the only field that can be changed. */
export function assertTitleMask(paths: readonly string[]): void {
  const unknown = paths.find((path) => path !== 'title');
  if (unknown !== undefined || paths.length === 0) {
    const description = 'must name "title" and nothing else';
    throw new DomainError('invalid', 'INVALID_FIELD', `Invalid request: update_mask ${description}`, {
      violations: [{ field: 'update_mask', description }],
    });
  }
}

/** JSON text as it was sent. Throws INVALID_FIELD for what is none. */
export function jsonOf(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    const description = 'must be JSON text';
    throw new DomainError('invalid', 'INVALID_FIELD', `Invalid request: answer_json ${description}`, {
      violations: [{ field: 'answer_json', description }],
    });
  }
}
