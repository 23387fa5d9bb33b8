// Bundles services into one file each, services/<name>/dist/main.mjs, with native code beside it where a service has some.
// It is what their images run:
//
//   node scripts/bundle.mjs session [agent-runtime …]
//
// A bundle lies one folder below its service, as the sources do: what they find as `../agents` or `../fs-view.yaml`, the
// bundle finds too. So those files are not copied; an image keeps them in the same place, beside dist/.
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** CommonJS packages inside of the bundle load Node's own modules by `require`; `createRequire` is a name that some of it has. */
const banner = [
  "import { createRequire as createBundleRequire } from 'node:module';",
  'const require = createBundleRequire(import.meta.url);',
].join('\n');
/** Imports that stay as they are though nobody installs them: MikroORM tries this one and does without it. */
const optional = new Set(['dataloader']);
/** opendal looks for the native code of every platform: it needs that of this one only, which is then beside the bundle. */
const otherPlatforms = /^(?:@opendal\/lib-|\.\/opendal\.[\w-]+\.(?:node|cjs)$)/;

async function bundle(service) {
  const folder = join(root, 'services', service);
  const entry = join(folder, 'src/main.ts');
  if (!existsSync(entry)) {
    throw new Error(`There is no service ${service}: ${relative(root, entry)} is missing.`);
  }
  const outfile = join(folder, 'dist/main.mjs');
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    // Native code can not be part of a file of JavaScript: it is put beside it.
    loader: { '.node': 'copy' },
    assetNames: '[name]',
    target: 'node26',
    format: 'esm',
    // Names of classes are looked at: migrations tell MySQL by the name of its platform's.
    keepNames: true,
    banner: { js: banner },
    define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
    metafile: true,
    logLevel: 'warning',
  });
  const output = metafile.outputs[relative(root, outfile)];
  const hasNative = Object.keys(metafile.outputs).some((path) => path.endsWith('.node'));
  const isThere = ({ path }) =>
    isBuiltin(path) || optional.has(path) || path in metafile.outputs || (hasNative && otherPlatforms.test(path));
  const missing = output.imports.filter((each) => !isThere(each)).map(({ path }) => path);
  if (missing.length > 0) {
    throw new Error(`The bundle of ${service} would need at run time: ${missing.join(', ')}`);
  }
  console.log(`${relative(root, outfile)}  ${(output.bytes / 1024 / 1024).toFixed(1)} MiB`);
}

const services = process.argv.slice(2);
if (services.length === 0) {
  console.error('Which services? For example: node scripts/bundle.mjs session tool-host');
  process.exitCode = 2;
}
for (const service of services) {
  await bundle(service);
}
