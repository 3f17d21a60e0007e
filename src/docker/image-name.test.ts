import { expect, test } from 'vitest';
import { splitImageName } from './image-name.ts';

test.each([
  ['redis', 'redis', 'latest'],
  ['johncosta/redis', 'johncosta/redis', 'latest'],
  ['redis:7', 'redis', '7'],
  ['localhost:5000/redis', 'localhost:5000/redis', 'latest'],
  ['localhost:5000/a/redis:7-alpine', 'localhost:5000/a/redis', '7-alpine'],
  ['redis@sha256:abc', 'redis', 'sha256:abc'],
  ['localhost:5000/redis:7@sha256:abc', 'localhost:5000/redis', 'sha256:abc'],
])('%s', (image, repository, tag) => {
  expect(splitImageName(image)).toEqual({ repository, tag });
});
