// Bundles services into one file each, services/<name>/dist/main.mjs, with native code beside it where a service has some.
// It is what their images run:
//
//   node scripts/bundle.mjs session [agent-runtime …]
//   node scripts/bundle.mjs packages/examples/src/tool-provider.ts     a program of your own: packages/examples/dist/…
//
// A bundle lies one folder below its service, as the sources do: what they find as `../agents` or `../fs-view.yaml`, the
// bundle finds too. So those files are not copied; an image keeps them in the same place, beside dist/.
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
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
/** opendal and mdream look for native code of every platform: they need that of this one only, which is then beside the bundle. */
const otherPlatforms =
  /^(?:@opendal\/lib-|\.\/opendal\.[\w-]+\.(?:node|cjs)$|@mdream\/rust-|\.\/rust\.[\w-]+\.(?:node|cjs)$)/;
/** mdream makes a `require` of its own, which esbuild does not follow. It follows the usual one. */
const usualRequire = {
  name: 'usual-require',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]mdream[\\/]napi[\\/]index\.mjs$/ }, ({ path }) => {
      const own = 'const require = createRequire(import.meta.url)';
      const source = readFileSync(path, 'utf8');
      if (!source.includes(own)) {
        throw new Error(`${path} no longer has its own require: see whether the bundle still finds its native code.`);
      }
      return { contents: source.replace(own, '') };
    });
  },
};

/** The name of a service, or the path of a program `…/src/name.ts`, which becomes `…/dist/name.mjs`. */
function filesOf(name) {
  const isProgram = name.endsWith('.ts');
  const entry = isProgram ? join(root, name) : join(root, 'services', name, 'src/main.ts');
  if (!existsSync(entry)) {
    throw new Error(`There is no ${isProgram ? 'program' : 'service'} ${name}: ${relative(root, entry)} is missing.`);
  }
  return { entry, outfile: join(dirname(dirname(entry)), 'dist', `${basename(entry, '.ts')}.mjs`) };
}

async function bundle(service) {
  const { entry, outfile } = filesOf(service);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    // Native code can not be part of a file of JavaScript: it is put beside it.
    loader: { '.node': 'copy' },
    plugins: [usualRequire],
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

/**
 * Tools of an operator's own are modules outside of the bundle: what they import lies beside it. It has to be JavaScript, for
 * Node takes no types out of packages.
 */
async function lendToolKit(dist) {
  const lent = join(dist, 'node_modules');
  rmSync(lent, { recursive: true, force: true });
  const kit = join(lent, '@spanwise/tool-kit');
  await build({
    absWorkingDir: root,
    entryPoints: { index: 'packages/tool-kit/src/index.ts', contract: 'packages/tool-kit/src/contract/index.ts' },
    outdir: kit,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    keepNames: true,
    external: ['zod'],
    logLevel: 'warning',
  });
  const exports = { '.': './index.mjs', './contract': './contract.mjs' };
  mkdirSync(kit, { recursive: true });
  writeFileSync(join(kit, 'package.json'), JSON.stringify({ name: '@spanwise/tool-kit', type: 'module', exports }));
  const zod = realpathSync(join(root, 'packages/tool-kit/node_modules/zod'));
  const isNeeded = (path) => !/\/zod\/src(?:\/|$)|\.d\.c?ts$|\.map$/.test(path.replaceAll('\\', '/'));
  cpSync(zod, join(lent, 'zod'), { recursive: true, filter: isNeeded });
}

/** The program of the processes in which commands run, in one file: they may read nothing else. */
async function bundleSandboxWorker(service) {
  const outfile = join(service, 'dist/sandbox-worker.mjs');
  await build({
    absWorkingDir: root,
    entryPoints: [join(service, 'src/infrastructure/sandbox/virtual/worker/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    minify: true,
    keepNames: true,
    banner: { js: banner },
    define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
    // Native code for xz and zstd, which it may not load.
    external: ['@mongodb-js/zstd', 'node-liblzma'],
    logLevel: 'warning',
  });
  console.log(relative(root, outfile));
}

const services = process.argv.slice(2);
if (services.length === 0) {
  console.error('Which services? For example: node scripts/bundle.mjs session tool-host');
  process.exitCode = 2;
}
for (const service of services) {
  await bundle(service);
}
if (services.includes('tool-host')) {
  await lendToolKit(join(root, 'services/tool-host/dist'));
  await bundleSandboxWorker(join(root, 'services/tool-host'));
}
