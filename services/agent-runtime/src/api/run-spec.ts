import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { RunSpecSchema } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import { invariantBroken } from '@spanwise/kernel';
import type { RunSpec } from '../domain/run/run-spec.ts';
import { listedTool, toolOf } from '../domain/tool/tool.ts';

/** What a run works with, as its driver keeps it for later dispatches. */
export function encodeRunSpec({ agent, tools }: RunSpec): Uint8Array<ArrayBuffer> {
  const { limits, ...texts } = agent;
  const { maxTurns, maxOutputTokens, timeoutMs } = limits;
  const spec = {
    agent: { ...texts, maxTurns, maxOutputTokens, timeout: durationFromMs(timeoutMs) },
    tools: tools.map(listedTool),
  };
  // The domain's tools are readonly and name their enums by number; those of the contract have the same shape.
  return toBinary(RunSpecSchema, create(RunSpecSchema, spec as MessageInitShape<typeof RunSpecSchema>));
}

/** The opposite of {@link encodeRunSpec}. Throws when it is none. */
export function decodeRunSpec(bytes: Uint8Array): RunSpec {
  const { agent, tools } = fromBinary(RunSpecSchema, bytes);
  if (agent?.timeout === undefined || agent.maxTurns < 1 || agent.maxOutputTokens < 1) {
    throw invariantBroken('a run’s specification has no usable agent');
  }
  const { name, description, instructions, model, maxTurns, maxOutputTokens, timeout } = agent;
  const limits = { maxTurns, maxOutputTokens, timeoutMs: durationMs(timeout) };
  return { agent: { name, description, instructions, model, limits }, tools: tools.map(toolOf) };
}
