import { fileURLToPath } from 'node:url';
import house from '../../jest.config.mjs';

// Jest for mutants: the pure rooms only, so no server is started; a room is what the sandbox holds, not what npm linked.
const { globalSetup: _up, globalTeardown: _down, ...pure } = house;

export default {
  ...pure,
  rootDir: '../..',
  // Looked through before each mutant.
  roots: ['<rootDir>/libs/authority', '<rootDir>/libs/domain', '<rootDir>/tools/mutate'],
  testMatch: ['<rootDir>/tools/mutate/every-test.mjs'],
  // Whole, because the runner of the mutants looks for it without jest.
  testEnvironment: fileURLToPath(new URL('./jest-environment.mjs', import.meta.url)),
  setupFiles: ['<rootDir>/tools/mutate/fewer-cases.mjs'],
  moduleNameMapper: { '^@proviso/([a-z]+)$': '<rootDir>/libs/$1/src/index.ts' },
};
