import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { SessionPeerService, TailEntrySchema } from '@spanwise/contracts/spanwise/session/v1/peer';
import { brandId, type RunId, type SessionId } from '@spanwise/kernel';
import type { Published } from '../application/published.ts';
import type { TailSession } from '../application/tail-session.ts';
import type { AgentEvent } from '../domain/event/agent-event.ts';
import { toProtoEvents } from './to-proto.ts';

export interface SessionPeerUseCases {
  readonly tailSession: TailSession;
  /** Stops a run whose cancel flag is set. True when it is driven here. */
  readonly cancel: (runId: RunId) => boolean;
  /** A run has no owner: it may be taken. */
  readonly released: (runId: RunId) => void;
}

/** What the other replicas of this service ask. */
export function sessionPeerServiceHandler({
  tailSession,
  cancel,
  released,
}: SessionPeerUseCases): ServiceImpl<typeof SessionPeerService> {
  return {
    async *tailSession({ sessionId }, { signal }) {
      for await (const step of tailSession.execute(brandId<SessionId>(sessionId), signal)) {
        if (step.kind === 'position') {
          yield { position: { lastSeq: BigInt(step.lastSeq), tails: toProtoEvents(step.tails) } };
        } else {
          yield { entries: step.entries.map(toProtoEntry) };
        }
      }
    },
    async notifyCancel({ runId }) {
      return { held: cancel(brandId<RunId>(runId)) };
    },
    async notifyReleased({ runId }) {
      released(brandId<RunId>(runId));
      return {};
    },
  };
}

function toProtoEntry({ event, elided }: Published): MessageInitShape<typeof TailEntrySchema> {
  return {
    event: event as NonNullable<MessageInitShape<typeof TailEntrySchema>['event']>,
    elidedBytes: elided === undefined ? 0n : elidedBytesOf(elided),
  };
}

function elidedBytesOf({ data }: AgentEvent): bigint {
  return data.value !== undefined && 'elidedBytes' in data.value ? data.value.elidedBytes : 0n;
}
