/**
 * Types of the client's calls. They are derived from the operations and schemas that the scheduler declares, which are
 * also the source of its OpenAPI document. Only types are imported, so that no schema becomes part of a client.
 */

import type * as z from 'zod';
import type { RequestSchemas } from '../scheduler/api/openapi/openapi.ts';
import type { DeclaredOperation } from '../scheduler/api/openapi/operations.ts';
import type { Shown } from '../scheduler/api/openapi/shown.ts';

export type Method = DeclaredOperation['method'];
/** The paths that have an operation with this method. */
export type PathOf<M extends Method> = Extract<DeclaredOperation, { method: M }>['path'];
type OperationOf<M extends Method, P> = Extract<DeclaredOperation, { method: M; path: P }>;

type ParameterNames<P> = P extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterNames<Rest>
  : never;
type QueryNames<O> = O extends { query: readonly (infer Name extends string)[] } ? Name : never;

type BodyNamed<N> = N extends keyof RequestSchemas
  ? unknown extends z.input<RequestSchemas[N]>
    ? object
    : z.input<RequestSchemas[N]>
  : object;
type BodyOf<O> = O extends { body: infer B }
  ? B extends readonly [infer N]
    ? readonly BodyNamed<N>[]
    : BodyNamed<B>
  : undefined;

export type QueryValue = string | number | boolean | readonly string[] | undefined;

/** What a call of an operation needs. Fields that the operation does not have are refused by the compiler. */
export type Input<M extends Method, P> = {
  /** The values in the path. Ids of apps and groups are paths, with or without the leading slash. */
  readonly path?: Readonly<Record<ParameterNames<P>, string>>;
  readonly query?: { readonly [N in QueryNames<OperationOf<M, P>>]?: QueryValue };
  readonly body?: BodyOf<OperationOf<M, P>>;
};

type JsonOf<A> = A extends { json: infer S extends z.ZodType } ? Shown<S> : never;
type AnswersOf<O> = O extends { answers: infer A }
  ? { [S in keyof A]: `${S & number}` extends `2${string}` ? JsonOf<A[S]> : never }[keyof A]
  : never;

/** The type of the JSON with which the scheduler answers the operation, if it is not refused. */
export type AnswerOf<M extends Method, P> = AnswersOf<OperationOf<M, P>>;
