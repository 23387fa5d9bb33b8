import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { RunSpecSchema, type DelegateSpec as WireDelegate } from '@spanwise/contracts/spanwise/runtime/v1/runtime';
import type { ToolPolicy as ToolPolicyMessage } from '@spanwise/contracts/spanwise/type/v1/policy';
import { invariantBroken } from '@spanwise/kernel';
import type { ToolPolicy } from '@spanwise/tool-kit/contract';
import type { DelegateSpec, RunSpec } from '../domain/run/run-spec.ts';
import { listedTool, toolOf } from '../domain/tool/tool.ts';

/** What a run works with, as its driver keeps it for later dispatches. */
export function encodeRunSpec({ agent, tools, delegates }: RunSpec): Uint8Array<ArrayBuffer> {
  const spec = { ...encodedDelegate({ agent, tools }), delegates: delegates.map(encodedDelegate) };
  // The domain's tools are readonly and name their enums by number; those of the contract have the same shape.
  return toBinary(RunSpecSchema, create(RunSpecSchema, spec as MessageInitShape<typeof RunSpecSchema>));
}

/** The opposite of {@link encodeRunSpec}. Throws when it is none. */
export function decodeRunSpec(bytes: Uint8Array): RunSpec {
  const spec = fromBinary(RunSpecSchema, bytes);
  return { ...decodedDelegate(spec), delegates: spec.delegates.map(decodedDelegate) };
}

function encodedDelegate({ agent, tools }: DelegateSpec) {
  const { limits, delegation, ...texts } = agent;
  const { maxTurns, maxOutputTokens, timeoutMs } = limits;
  const { agents, maxParallel, maxDepth } = delegation;
  const delegates = { delegates: agents, maxParallelDelegates: maxParallel, maxDelegateDepth: maxDepth };
  return {
    agent: { ...texts, maxTurns, maxOutputTokens, timeout: durationFromMs(timeoutMs), ...delegates },
    tools: tools.map(listedTool),
  };
}

function decodedDelegate({ agent, tools }: Pick<WireDelegate, 'agent' | 'tools'>): DelegateSpec {
  if (agent?.timeout === undefined || agent.maxTurns < 1 || agent.maxOutputTokens < 1) {
    throw invariantBroken('a run’s specification has no usable agent');
  }
  const { name, description, instructions, model, maxTurns, maxOutputTokens, timeout, delegates } = agent;
  const policy = policyOf(agent.policy);
  const limits = { maxTurns, maxOutputTokens, timeoutMs: durationMs(timeout) };
  // Of a run that began before there were delegates, all of them are 0.
  const delegation = {
    agents: delegates,
    maxParallel: Math.max(1, agent.maxParallelDelegates),
    maxDepth: agent.maxDelegateDepth,
  };
  return { agent: { name, description, instructions, model, limits, policy, delegation }, tools: tools.map(toolOf) };
}

/** Rules as the domain has them. */
export function policyOf(message: ToolPolicyMessage | undefined): ToolPolicy {
  const { allow = [], ask = [], deny = [] } = message ?? {};
  return { allow, ask, deny };
}
