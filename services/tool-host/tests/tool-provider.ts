import { silentLogger } from '@spanwise/telemetry';
import type { ProviderTool, ProviderToolContext, ToolEffect, ToolOutput, ToolSuspension } from '@spanwise/tool-kit';
import { defineProviderTool } from '@spanwise/tool-kit';
import { type RunningProvider, type ServeToolsOptions, serveTools } from '@spanwise/tool-kit/serve';
import { expect } from 'vitest';
import { z } from 'zod';
import { createToolHostService } from '../src/composition-root.ts';
import { FileSystemServer } from './file-system-server.ts';
import { testConfig } from './test-config.ts';
import { ToolHostClient } from './tool-host-client.ts';

type Work = (context: ProviderToolContext, input: { readonly n: number }) => Promise<ToolOutput | ToolSuspension>;

/** A tool of a provider that does what a test says; `n` is a whole number, 1 by default. */
export function provided(name: string, effect: ToolEffect, execute: Work, version = '1'): ProviderTool {
  return defineProviderTool({
    ...{ name, effect, version, description: `Does ${name}.` },
    input: z.strictObject({ n: z.int().min(1).default(1) }),
    execute: (input, context) => execute(context, input),
  });
}

export const done = () => Promise.resolve({ text: 'done' });

/** Something that a test waits for. */
export function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, open: resolve };
}

/** Providers and tool hosts of one test, which end with it. */
export class ProviderBench implements AsyncDisposable {
  readonly resources = new AsyncDisposableStack();

  /** Serves tools in this process. */
  async provider(tools: readonly ProviderTool[], options: Partial<ServeToolsOptions> = {}): Promise<RunningProvider> {
    const common = { port: 0, stopsOnSignals: false, logger: silentLogger, env: {} };
    return this.resources.use(await serveTools({ ...common, tools, ...options }));
  }

  /** A tool host that knows one provider, `billing`, which may be away. */
  async hostOf(url: string): Promise<ToolHostClient> {
    const fileSystem = this.resources.use(await new FileSystemServer().start());
    const config = testConfig({ filesystemUrl: fileSystem.url, toolProviders: [{ name: 'billing', url }] });
    const host = this.resources.use(await createToolHostService(config, { logger: silentLogger, tools: [] }));
    return new ToolHostClient(host.url);
  }

  /** A tool host that has the list of a provider with these tools. */
  async hostWith(tools: readonly ProviderTool[], options?: Partial<ServeToolsOptions>): Promise<ToolHostClient> {
    const { url } = await this.provider(tools, options);
    return listing(await this.hostOf(url));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.resources.disposeAsync();
  }
}

/** The host, once it has the list of its provider. */
export async function listing(host: ToolHostClient): Promise<ToolHostClient> {
  await expect.poll(() => list(host).then((tools) => tools.length), { timeout: 8000 }).toBeGreaterThan(0);
  return host;
}

export async function list(host: ToolHostClient) {
  const { tools } = await host.rpcs.listTools({}, { headers: { uid: 'ann' } });
  return tools;
}
