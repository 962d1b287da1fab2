// One configuration for every room. Libraries run from source: Node's own ESM loader under jest, types stripped by swc.
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/{apps,libs,tools,e2e,bench}/**/*.test.ts'],
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
  modulePathIgnorePatterns: ['<rootDir>/.nx', '<rootDir>/.proviso', '<rootDir>/.cache', '<rootDir>/node_modules/.cache'],
  watchPathIgnorePatterns: ['<rootDir>/.proviso'],
};
