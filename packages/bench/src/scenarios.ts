import type { ChildProcess } from 'node:child_process';
import type { SpanwiseClient } from '@spanwise/client';
import { cpuMs } from './measured-process.ts';
import { clockPeriodMs } from './model-clock.ts';
import { median, percentile } from './statistics.ts';

export interface System {
  readonly client: SpanwiseClient;
  /** The processes whose work is counted. */
  readonly processes: readonly ChildProcess[];
}

/** One run, watched to its end: when its first text came, and how late each delta was. */
async function runOnce(client: SpanwiseClient, input: string) {
  const session = await client.createSession();
  const startedMs = performance.now();
  let firstTextMs = Number.NaN;
  const lagsMs: number[] = [];
  for await (const { data, seq } of client.run({ sessionId: session.id, input })) {
    if (data.case === 'textDelta' && seq === 0n) {
      const nowMs = performance.now();
      firstTextMs = Number.isNaN(firstTextMs) ? nowMs - startedMs : firstTextMs;
      const wallMs = (performance.timeOrigin + nowMs) % clockPeriodMs;
      lagsMs.push(wallMs - Number.parseInt(data.value.text.slice(-4), 36));
    }
  }
  return { firstTextMs, lagsMs };
}

/** When the model itself has its first text, asked without anything in between; the median of several, in milliseconds. */
export async function modelFirstText(baseUrl: string, input: string): Promise<number> {
  const figures: number[] = [];
  await repeat(11, async () => {
    const startedMs = performance.now();
    const body = JSON.stringify({ model: 'bench', stream: true, messages: [{ role: 'user', content: input }] });
    const response = await fetch(`${baseUrl}/chat/completions`, { method: 'POST', body });
    for await (const _ of response.body ?? []) {
      figures.push(performance.now() - startedMs);
      break;
    }
  });
  return median(figures);
}

/** The median time to the first text of several runs, one after the other, in milliseconds. */
export async function firstText({ client }: System, input: string, runs: number): Promise<number> {
  const figures: number[] = [];
  await repeat(runs, async () => {
    figures.push((await runOnce(client, input)).firstTextMs);
  });
  return median(figures);
}

/** Processor time of a run in milliseconds: the median over rounds of sequential runs. */
export async function cpuPerRun({ client, processes }: System, input: string, runs: number, rounds: number) {
  await repeat(10, () => runOnce(client, input));
  const figures: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const before = total(processes);
    await repeat(runs, () => runOnce(client, input));
    figures.push((total(processes) - before) / runs);
  }
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) };
}

/** Many runs at the same time: processor time a run, deltas a second, first text and lag. */
export async function concurrent({ client, processes }: System, input: string, runs: number) {
  const before = total(processes);
  const startedMs = performance.now();
  const results = await Promise.all(Array.from({ length: runs }, () => runOnce(client, input)));
  const elapsedMs = performance.now() - startedMs;
  const cpu = total(processes) - before;
  const lags = results.flatMap(({ lagsMs }) => lagsMs);
  const firsts = results.map(({ firstTextMs }) => firstTextMs);
  return {
    cpuPerRun: cpu / runs,
    deltasPerSecond: (lags.length * 1000) / elapsedMs,
    deltasPerCpuSecond: (lags.length * 1000) / cpu,
    firstTextP50: percentile(firsts, 50),
    lagP50: percentile(lags, 50),
    lagP99: percentile(lags, 99),
  };
}

function total(processes: readonly ChildProcess[]): number {
  return processes.reduce((sum, child) => sum + cpuMs(child), 0);
}

async function repeat(times: number, work: () => Promise<unknown>): Promise<void> {
  for (let done = 0; done < times; done += 1) {
    await work();
  }
}
