import { randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { type CallOptions, type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import {
  type ExecuteToolRequest,
  ExecuteToolRequestSchema,
  ToolHostService,
} from '@spanwise/contracts/spanwise/tool/v1/tool';
import type { Interrupt, InterruptAnswer } from '@spanwise/contracts/spanwise/type/v1/interrupt';
import type { ToolResultPart } from '@spanwise/contracts/spanwise/type/v1/message';

export const headers = { uid: 'ann', email: 'ann@example.com', token: 'secret-of-ann' };

/** The answers of a call, put together. */
export interface Executed {
  readonly result: ToolResultPart | undefined;
  readonly suspended: Interrupt | undefined;
  readonly text: string;
}

/** What names a call in all RPCs. */
export interface CallIds {
  readonly sessionId: string;
  readonly runId: string;
  readonly callId: string;
  readonly epoch: bigint;
}

export function newCall(facts: Partial<CallIds> = {}): CallIds {
  return { sessionId: randomUUID(), runId: randomUUID(), callId: randomUUID(), epoch: 1n, ...facts };
}

/** ToolHostService over the wire, for one user. */
export class ToolHostClient {
  readonly rpcs: Client<typeof ToolHostService>;

  constructor(baseUrl: string) {
    this.rpcs = createClient(ToolHostService, createGrpcTransport({ baseUrl }));
  }

  async execute(
    call: CallIds,
    tool: string,
    input: unknown = {},
    { answer, ...options }: CallOptions & { readonly answer?: Partial<InterruptAnswer> } = {},
  ): Promise<Executed> {
    let result: ToolResultPart | undefined;
    let suspended: Interrupt | undefined;
    const request = { ...requestOf(call, tool, input), ...(answer === undefined ? {} : { answer }) };
    const message = create(ExecuteToolRequestSchema, request as ExecuteToolRequest);
    for await (const each of this.rpcs.executeTool(message, { headers, ...options })) {
      ({ result, suspended } = each);
    }
    const [content] = result?.content ?? [];
    return { result, suspended, text: content?.content.case === 'text' ? content.content.value : '' };
  }

  get(call: CallIds, waitMs = 0) {
    const wait = { seconds: BigInt(Math.floor(waitMs / 1000)), nanos: (waitMs % 1000) * 1_000_000 };
    return this.rpcs.getExecution({ ...call, wait }, { headers });
  }

  async stop({ sessionId, epoch }: CallIds) {
    const { stopped } = await this.rpcs.fence({ sessionId, epoch, stop: true }, { headers });
    return stopped.map(({ callId, tool, outcome }) => ({ callId, tool, outcome }));
  }
}

function requestOf(call: CallIds, tool: string, input: unknown) {
  const span = { span: { id: 'aaaaaaaaaaaaaaaa', par: '' }, traceId: '1'.repeat(32), traceFlags: 0 };
  return { ...call, tool, argumentsJson: JSON.stringify(input), span };
}
