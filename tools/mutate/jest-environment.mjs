import { TestEnvironment } from 'jest-environment-node';

/** Where tests meet a mutant: the first that fails has noticed it, so no other is asked. */
export default class FirstFailure extends TestEnvironment {
  #noticed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_start' && this.#noticed) test.mode = 'skip';
    if (name === 'test_done' && test.errors.length > 0) this.#noticed = true;
  }
}
