// RingCentral's own JavaScript SDK, which knows nothing of us, works with the sandbox.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SDK } from "@ringcentral/sdk";

import { eventually, startSandbox, startSubscriber } from "./sandbox.js";

const MAILBOX = "/restapi/v1.0/account/~/extension/~";
const STORE = `${MAILBOX}/message-store`;
const SUBSCRIPTION = "/restapi/v1.0/subscription";

let sandbox;
let platform;
let logins = 0;

before(async () => {
  sandbox = await startSandbox();
  platform = await signIn();
});

after(() => sandbox.stop());

async function signIn(secret = "sandbox-client-secret") {
  const sdk = new SDK({
    server: sandbox.api,
    clientId: "sandbox-client-id",
    clientSecret: secret,
    cachePrefix: `login-${(logins += 1)}`, // or all would share one token
  });
  await sdk.platform().login({ jwt: "sandbox-jwt-credential" });
  return sdk.platform();
}

async function read(answer) {
  return (await answer).json();
}

async function receive(type, members = {}) {
  const [record] = await sandbox.tell("messages", { type, ...members });
  return record;
}

test("it logs in, refreshes its token and logs out", async () => {
  const one = await signIn();
  assert.equal(await one.loggedIn(), true);
  const first = (await one.auth().data()).access_token;
  await one.refresh();
  assert.notEqual((await one.auth().data()).access_token, first);
  assert.equal((await one.get(STORE)).status, 200);
  await one.logout();
  await assert.rejects(one.get(STORE));
});

test("a wrong secret is an error in RingCentral's words", async () => {
  await assert.rejects(signIn("guessed"), /Invalid client/);
});

test("it lists and reads", async () => {
  const sms = await receive("sms", { text: "From the SDK's view" });
  const fax = await receive("fax");
  const query = { messageType: ["SMS", "Fax"], dateFrom: "2020-01-01T00:00:00.000Z" };
  const { records } = await read(platform.get(STORE, query));
  assert.deepEqual(records.slice(0, 2).map((record) => record.id), [fax.id, sms.id]);
  assert.equal((await read(platform.get(`${STORE}/${sms.id}`))).subject, "From the SDK's view");
  await assert.rejects(platform.get(`${STORE}/1`), /is not found/);
});

test("it downloads a file from the media host", async () => {
  const fax = await receive("fax");
  const answer = await platform.get(fax.attachments[0].uri);
  const file = Buffer.from(await answer.arrayBuffer());
  assert.equal(answer.headers.get("content-type"), "application/pdf");
  assert.equal(file.subarray(0, 5).toString(), "%PDF-");
  assert.equal(file.length, fax.attachments[0].size);
});

test("it synchronises with the token it was given", async () => {
  const full = await read(platform.get(`${MAILBOX}/message-sync`, { syncType: "FSync" }));
  const sms = await receive("sms");
  const { syncToken } = full.syncInfo;
  const query = { syncType: "ISync", syncToken };
  const { records } = await read(platform.get(`${MAILBOX}/message-sync`, query));
  assert.ok(records.some((record) => record.id === sms.id));
  await sandbox.tell("do/forgets-sync-tokens", {});
  await assert.rejects(platform.get(`${MAILBOX}/message-sync`, query), /syncToken/);
});

test("it marks and deletes", async () => {
  const { id } = await receive("sms");
  const marked = await read(platform.put(`${STORE}/${id}`, { readStatus: "Read" }));
  assert.equal(marked.readStatus, "Read");
  assert.equal((await platform.delete(`${STORE}/${id}`)).status, 204);
  assert.equal((await read(platform.get(`${STORE}/${id}`))).availability, "Deleted");
});

test("it subscribes a webhook, is notified, renews and deletes", async () => {
  const subscriber = await startSubscriber();
  const body = {
    eventFilters: [STORE],
    deliveryMode: { transportType: "WebHook", address: subscriber.address },
    expiresIn: 1000,
  };
  const made = await read(platform.post(SUBSCRIPTION, body));
  assert.equal(made.status, "Active");
  const sms = await receive("sms");
  await eventually(() => subscriber.notifications.length > 0);
  const [told] = subscriber.notifications;
  assert.deepEqual(told.body.changes[0].newMessageIds, [sms.id]);
  const renewed = await read(platform.post(`${SUBSCRIPTION}/${made.id}/renew`));
  assert.ok(renewed.expiresIn > 990);
  assert.equal((await platform.delete(`${SUBSCRIPTION}/${made.id}`)).status, 204);
  assert.deepEqual((await read(platform.get(SUBSCRIPTION))).records, []);
  subscriber.stop();
});

test("it waits and repeats a call that met the limit", async () => {
  const limited = await signIn();
  const waits = [];
  limited.on(limited.events.rateLimitError, (error) => waits.push(error.retryAfter));
  await sandbox.tell("do/hits-another-limit", { part: "message-store", retry_after: 1 });
  const answer = await limited.get(STORE, undefined, { handleRateLimit: 1 });
  assert.equal(answer.status, 200);
  assert.equal(waits.length, 1);
});
