import { parseArgs } from 'node:util';
import { SpanwiseClient } from '@spanwise/client';
import { startDistributedStack } from '@spanwise/dev-stack';
import { dropDatabases } from '@spanwise/testing';
import { measureFiles } from './files.ts';
import { residentMiB, startProgram } from './measured-process.ts';
import { concurrent, cpuPerRun, firstText, modelFirstText, type System } from './scenarios.ts';
import { measureTools } from './tools.ts';

/**
 * `npm run bench`: what a run costs. `-- --distributed` measures four processes on MySQL and NATS
 * (SPANWISE_DATABASE_SERVER_URL, SPANWISE_NATS_URL), `-- --files` what operations
 * on files cost, `-- --tools` what calls of tools cost, `-- --smoke` takes few runs and shows only that it works.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      distributed: { type: 'boolean', default: false },
      files: { type: 'boolean', default: false },
      tools: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
    },
  });
  if (values.files) {
    await measureFiles(values.smoke, process.env.SPANWISE_DATABASE_SERVER_URL);
    return;
  }
  if (values.tools) {
    await measureTools(values.smoke);
    return;
  }
  const model = await startProgram('./model-process.ts', process.env);
  const env = {
    ...process.env,
    SPANWISE_MODEL_BASE_URL: model.line,
    OPENAI_API_KEY: 'none',
    SPANWISE_LOG_LEVEL: 'error',
  };
  try {
    await (values.distributed ? measureDistributed(env, values.smoke) : measureEmbedded(env, values.smoke));
  } finally {
    model.child.kill();
  }
}

async function measureEmbedded(env: NodeJS.ProcessEnv, isSmoke: boolean): Promise<void> {
  const startedMs = performance.now();
  const { child, line } = await startProgram('./embedded-process.ts', env);
  row('embedded: process start to all services ready', `${(performance.now() - startedMs).toFixed(0)} ms`);
  try {
    await measure(
      { client: new SpanwiseClient({ baseUrl: line }), processes: [child] },
      env.SPANWISE_MODEL_BASE_URL ?? '',
      isSmoke,
    );
    row('resident memory afterwards', `${residentMiB(child).toFixed(0)} MiB`);
  } finally {
    child.kill('SIGTERM');
  }
}

async function measureDistributed(env: NodeJS.ProcessEnv, isSmoke: boolean): Promise<void> {
  const databaseServerUrl = env.SPANWISE_DATABASE_SERVER_URL ?? 'mysql://root@127.0.0.1:3306';
  const natsUrl = env.SPANWISE_NATS_URL ?? 'nats://127.0.0.1:4222';
  const databasePrefix = `spanwise_bench_${process.pid}`;
  try {
    await using stack = await startDistributedStack({ databaseServerUrl, natsUrl, databasePrefix, env, replicas: 1 });
    const services = [...stack.sessions, ...stack.runtimes, stack.toolHost, stack.filesystem];
    const client = new SpanwiseClient({ baseUrl: stack.sessions[0]?.url ?? '' });
    await measure(
      { client, processes: services.map(({ child }) => child) },
      env.SPANWISE_MODEL_BASE_URL ?? '',
      isSmoke,
    );
  } finally {
    await dropDatabases(databaseServerUrl, databasePrefix);
  }
}

async function measure(system: System, modelUrl: string, isSmoke: boolean): Promise<void> {
  const [runs, rounds, many] = isSmoke ? [3, 1, 5] : [40, 3, 50];
  for (const [name, input] of [
    ['S1 (200 deltas at 0 ms)', 'S1 200 0'],
    ['S2 (5 tool calls, 50 deltas)', 'S2'],
  ] as const) {
    const { median, min, max } = await cpuPerRun(system, input, runs, rounds);
    row(`${name}: CPU a run`, `${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)})`);
  }
  const alone = await firstText(system, 'S1 200 0', runs);
  const ofModel = await modelFirstText(modelUrl, 'S1 200 0');
  row('first text, 1 run; of that the model alone', `${alone.toFixed(1)} ms; ${ofModel.toFixed(1)} ms`);
  const burst = await concurrent(system, 'S1 200 0', many);
  row(`first text, ${many} runs at once, p50`, `${burst.firstTextP50.toFixed(0)} ms`);
  const paced = await concurrent(system, 'S1 200 5', isSmoke ? 5 : 20);
  row(`${isSmoke ? 5 : 20} runs at 5 ms a delta: CPU a run`, `${paced.cpuPerRun.toFixed(1)} ms`);
  row('  delta lag p50, p99', `${paced.lagP50.toFixed(1)} ms, ${paced.lagP99.toFixed(1)} ms`);
  if (!isSmoke) {
    const crowd = await concurrent(system, 'S1 200 5', 100);
    row('100 runs at 5 ms a delta: deltas a second', crowd.deltasPerSecond.toFixed(0));
    row('  delta lag p50', `${crowd.lagP50.toFixed(0)} ms`);
    const flood = await concurrent(system, 'S1 2000 0', 50);
    row('50 runs of 2,000 deltas at 0 ms: deltas a CPU second', flood.deltasPerCpuSecond.toFixed(0));
  }
}

function row(name: string, figure: string): void {
  process.stdout.write(`${name.padEnd(56)} ${figure}\n`);
}

await main();
process.exit();
