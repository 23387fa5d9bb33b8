import type { Clock, Uid } from '@spanwise/kernel';
import { attribute, type Telemetry } from '@spanwise/telemetry';
import type { CallMetrics } from '../../application/ports/call-metrics.ts';
import type { CallOutcome } from '../../domain/tool/tool-call.ts';

export interface CallMetricsDeps {
  readonly meter: Telemetry['meter'];
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Whether there is such a tool: a name that a model made up would make a series of its own. */
  readonly isTool: (name: string, uid: Uid) => boolean;
}

/** Upper bounds in seconds, from a read of a file to the longest command. */
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** `spanwise.tool.call.duration` and `spanwise.tool.calls.active`, by tool. */
export function callMetrics({ meter, clock, isTool }: CallMetricsDeps): CallMetrics {
  const duration = meter.createHistogram('spanwise.tool.call.duration', {
    description: 'Time from the beginning of a tool call to its result, or to when it begins to wait for its user.',
    unit: 's',
    advice: { explicitBucketBoundaries: durationBounds },
  });
  const active = meter.createUpDownCounter('spanwise.tool.calls.active', {
    description: 'Tool calls that go on.',
    unit: '{call}',
  });
  return {
    begin({ tool, caller }) {
      const name = { [attribute.toolName]: isTool(tool, caller.uid) ? tool : '_other' };
      const beginMs = clock.monotonicMs();
      active.add(1, name);
      return (outcome) => {
        active.add(-1, name);
        duration.record((clock.monotonicMs() - beginMs) / 1000, { ...name, ...endOf(outcome) });
      };
    },
  };
}

function endOf(outcome: CallOutcome | 'stopped'): Readonly<Record<string, string>> {
  if (outcome === 'stopped') {
    return { [attribute.toolOutcome]: 'stopped' };
  }
  if (outcome.type === 'suspended') {
    return { [attribute.toolOutcome]: `asked_${outcome.interrupt.kind}` };
  }
  const { result, errorType } = outcome.end;
  return { [attribute.toolOutcome]: result.outcome, ...(errorType === '' ? {} : { [attribute.errorType]: errorType }) };
}
