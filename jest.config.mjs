// One configuration for every room. Libraries run from source: Node's own ESM loader under jest, types stripped by swc.
export default {
  testEnvironment: 'node',
  // Real processes on a busy machine: a test that hangs ends by this bound, none is meant to come near it.
  testTimeout: 60_000,
  // Half of the time is waiting for processes, so two at a time cost two cores little and halve the whole.
  maxWorkers: 2,
  // One PostgreSQL and one Temporal for the whole run; each test file makes a database and task queues of its own.
  globalSetup: '<rootDir>/libs/testkit/src/jest-setup.ts',
  globalTeardown: '<rootDir>/libs/testkit/src/jest-teardown.ts',
  testMatch: ['<rootDir>/{apps,libs,tools,deploy,e2e,bench}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        module: { type: 'es6' },
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: false },
        },
      },
    ],
  },
  modulePathIgnorePatterns: [
    // Four versions of one prototype bear one name; they are run as processes and never imported.
    '<rootDir>/examples',

    '<rootDir>/.nx',
    '<rootDir>/.proviso',
    '<rootDir>/.cache',
    '<rootDir>/node_modules/.cache',
  ],
  watchPathIgnorePatterns: ['<rootDir>/.proviso'],
};
