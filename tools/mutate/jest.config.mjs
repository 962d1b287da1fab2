import house from '../../jest.config.mjs';

// Jest for mutants: the pure rooms only, so no server is started; a room is what the sandbox holds, not what npm linked.
const { globalSetup: _up, globalTeardown: _down, ...pure } = house;

export default {
  ...pure,
  rootDir: '../..',
  testMatch: ['<rootDir>/libs/authority/src/**/*.test.ts', '<rootDir>/libs/domain/src/**/*.test.ts'],
  setupFiles: ['<rootDir>/tools/mutate/fewer-cases.mjs'],
  // A hundred thousand sequences for each of some hundred mutants: those that see a mutant only there are too far from it.
  testPathIgnorePatterns: ['/node_modules/', 'libs/domain/src/invariants.test.ts'],
  moduleNameMapper: { '^@proviso/([a-z]+)$': '<rootDir>/libs/$1/src/index.ts' },
};
