/** Why an embedded server could not be had. The callers' messages and tests hang on these, not on sentences. */
export type ServerFailureCode =
  | 'already_running'
  | 'binary_missing'
  | 'data_unusable'
  | 'exited'
  | 'folder_unreachable'
  | 'not_ready'
  | 'port_taken';

/** The world broke while a server was started or stopped; `code` says how, the message tells a person what to do. */
export class ServerFailure extends Error {
  readonly code: ServerFailureCode;

  constructor(code: ServerFailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ServerFailure';
    this.code = code;
  }
}
