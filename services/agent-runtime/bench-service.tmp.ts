import { createServer } from 'node:http';
import { createAgentRuntimeService } from './src/composition-root.ts';
import { readAgentRuntimeConfig } from './src/config.ts';
import { silentLogger } from '@spanwise/telemetry';
const [model, peers] = process.argv.slice(2);
const service = await createAgentRuntimeService({ ...readAgentRuntimeConfig({ SPANWISE_MODEL_BASE_URL: model!, SPANWISE_PORT: '0' }), toolHostUrl: peers!, filesystemUrl: peers! }, { logger: silentLogger });
const http = createServer((_, res) => { const u = process.cpuUsage(); res.end(JSON.stringify({ cpu: (u.user + u.system) / 1000, mem: process.memoryUsage().rss / 1e6 })); }).listen(0, '127.0.0.1', () => process.send!({ url: service.server.url, stats: (http.address() as { port: number }).port }));
process.on('SIGTERM', () => process.exit(0));
