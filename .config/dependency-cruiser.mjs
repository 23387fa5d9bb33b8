// Who may import whom inside a service (docs/adr/0001). `scripts/check-layers.mjs` runs these rules, and then once more over
// planted violations, each of which must be caught.
const service = '^(services/[^/]+)/src';
const generated = '^packages/contracts/';
const kernel = '^packages/kernel/';
/** What a tool is: types, constants and pure functions. */
const toolContract = '^packages/tool-kit/src/contract/';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment:
        'Domain imports its own domain, the kernel and the contract of tools: no npm package, no node:, no generated code.',
      severity: 'error',
      from: { path: `${service}/domain/`, pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^$1/src/domain/', kernel, toolContract] },
    },
    {
      name: 'application-knows-domain',
      comment: 'Application imports its own application and domain, the kernel and the contract of tools.',
      severity: 'error',
      from: { path: `${service}/application/`, pathNot: '\\.test\\.ts$' },
      to: { pathNot: ['^$1/src/(application|domain)/', kernel, toolContract] },
    },
    {
      name: 'api-calls-application',
      comment:
        'Api imports its own application and domain types, contracts, service-kit and kernel; not infrastructure.',
      severity: 'error',
      from: { path: `${service}/api/`, pathNot: '\\.test\\.ts$' },
      to: {
        path: ['^services/', '^packages/'],
        pathNot: ['^$1/src/(api|application|domain)/', generated, kernel, toolContract, '^packages/service-kit/'],
      },
    },
    {
      name: 'infrastructure-implements-ports',
      comment: 'Infrastructure imports its own domain and application/ports, packages and npm; no use case, no api.',
      severity: 'error',
      from: { path: `${service}/infrastructure/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^services/', pathNot: ['^$1/src/(infrastructure|domain)/', '^$1/src/application/ports/'] },
    },
    {
      name: 'composition-root-is-the-top',
      comment: 'Only main (and dev-stack, from outside) imports a composition root.',
      severity: 'error',
      from: { path: `${service}/`, pathNot: ['/src/main\\.ts$', '/src/composition-root\\.ts$'] },
      to: { path: '/src/composition-root\\.ts$' },
    },
    {
      name: 'services-meet-on-the-wire',
      comment: 'A service never imports another one.',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'packages-know-no-service',
      comment: 'Only dev-stack, and what boots it, imports services.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/(dev-stack|e2e|bench|faults)/' },
      to: { path: '^services/' },
    },
    {
      name: 'kernel-has-no-dependency',
      severity: 'error',
      from: { path: `${kernel}src/`, pathNot: '\\.test\\.ts$' },
      to: { pathNot: kernel },
    },
    {
      name: 'tool-contract-is-pure',
      comment: 'Domain may import it.',
      severity: 'error',
      from: { path: toolContract, pathNot: '\\.test\\.ts$' },
      to: { pathNot: [kernel, toolContract] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that can not be resolved would escape every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/\\.tsbuild/', '/dist/'] },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
