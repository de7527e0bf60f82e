/** jest: every test file is TypeScript as an ES module, transformed by swc; one PostgreSQL server for the whole run. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/{unit,integration,mesh,security,chaos}/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'es6' },
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, experimental: { keepImportAssertions: true } },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  testTimeout: 60_000,
  maxWorkers: 2,
  // A worker that has run sixty files may need more than Jest's half second to exit; one that leaks a handle never exits.
  workerGracefulExitTimeout: 5_000,
};
