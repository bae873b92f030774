// The whole life of a stream through the AWS SDK for JavaScript v3: node life.mjs URL http1|http2
// Prints `fact: Operation Member...` and `fact: Operation !Error` for what it has seen.
import assert from "node:assert/strict";
import * as sdk from "@aws-sdk/client-kinesis";
import {NodeHttpHandler} from "@smithy/node-http-handler";

const [url, version] = process.argv.slice(2);
const arn = "arn:aws:kinesis:eu-west-1:000000000000:stream/life";
const utf8 = (text) => new TextEncoder().encode(text);
const textOf = (bytes) => new TextDecoder().decode(bytes);

/** Dotted names of all members, those of lists' elements included. */
function membersOf(document, prefix = "") {
  return Object.entries(document).flatMap(([name, value]) => {
    const inner = (Array.isArray(value) ? value : [value]).filter(
        (v) => name !== "Tags" && v !== null && typeof v === "object" && !(v instanceof Uint8Array) &&
               !(v instanceof Date));
    return value === undefined ? [] : [prefix + name, ...inner.flatMap((v) => membersOf(v, `${prefix}${name}.`))];
  });
}

function makeClient() {
  const options = {endpoint: url, region: "eu-west-1", maxAttempts: 1,
                   credentials: {accessKeyId: "tidemill", secretAccessKey: "tidemill"}};
  if (version === "http1") options.requestHandler = new NodeHttpHandler();
  const client = new sdk.KinesisClient(options);
  client.middlewareStack.add((next, context) => async (args) => {
    const operation = context.commandName.replace(/Command$/, "");
    try {
      const answer = await next(args);
      console.log("fact:", operation, ...new Set(membersOf(args.input)));
      return answer;
    } catch (error) {
      if (error.$metadata?.httpStatusCode && error.name !== "UnknownOperationException") console.log("fact:", operation, "!" + error.name);
      throw error;
    }
  }, {step: "initialize"});
  return client;
}

const client = makeClient();
const call = (name, input = {}, from = client) => from.send(new sdk[name + "Command"](input));
const StreamName = "life";

async function refused(name, operation, input, words = "") {
  const error = await call(operation, input).then(() => null, (e) => e);
  assert.equal(error?.name, name, `${operation}: ${error}`);
  if (sdk[name]) assert(error instanceof sdk[name], `${name} has its own class`);
  assert(error.message.includes(words), error.message);
  assert(error.$metadata.requestId && error.$metadata.extendedRequestId);
}

const wait = () => sdk.waitUntilStreamExists({client, maxWaitTime: 30, minDelay: 1, maxDelay: 1}, {StreamName});
const summary = async () => (await call("DescribeStreamSummary", {StreamName})).StreamDescriptionSummary;

async function create() {
  await call("CreateStream", {StreamName, ShardCount: 2, Tags: {made: "by life"}});
  await wait();
  const description = (await call("DescribeStream", {StreamName, Limit: 1})).StreamDescription;
  assert(description.HasMoreShards && description.StreamCreationTimestamp instanceof Date);
  assert(Math.abs(description.StreamCreationTimestamp - Date.now()) < 60000);
  const seen = await summary();
  assert.equal(seen.StreamARN, arn);
  assert.equal(seen.StreamId, undefined);
  assert.deepEqual((await call("ListStreams", {Limit: 5})).StreamNames, ["life"]);
  assert.equal((await call("DescribeLimits")).OpenShardCount, 2);
  const first = await call("ListShards", {StreamName, MaxResults: 1});
  const second = await call("ListShards", {NextToken: first.NextToken});
  assert.deepEqual([...first.Shards, ...second.Shards].map((shard) => shard.ShardId),
                   ["shardId-000000000000", "shardId-000000000001"]);
  assert.equal(second.NextToken, undefined);
  for await (const page of sdk.paginateListStreams({client, pageSize: 1}, {})) assert.equal(page.StreamNames.length, 1);
  await refused("ResourceInUseException", "CreateStream", {StreamName, ShardCount: 1}, "already exists.");
  await refused("ResourceNotFoundException", "DescribeStream", {StreamName: "none"},
                "Stream none under account 000000000000 not found.");
}

async function tags() {
  await call("AddTagsToStream", {StreamName, Tags: {env: "test", team: "a"}});
  await call("RemoveTagsFromStream", {StreamName, TagKeys: ["made"]});
  assert.deepEqual((await call("ListTagsForStream", {StreamName, Limit: 1})).Tags, [{Key: "env", Value: "test"}]);
}

async function resourceTags() {
  await call("TagResource", {ResourceARN: arn, Tags: {more: "b"}});
  await call("UntagResource", {ResourceARN: arn, TagKeys: ["team"]});
  const all = (await call("ListTagsForResource", {ResourceARN: arn})).Tags.map((tag) => tag.Key).sort();
  assert.deepEqual(all, ["env", "more"]);
}

async function putAndRead() {
  const shard = {StreamName, ShardId: "shardId-000000000000"};
  const position = async (ShardIteratorType, more = {}) =>
    (await call("GetShardIterator", {...shard, ShardIteratorType, ...more})).ShardIterator;
  const latest = await position("LATEST");
  const first = await call("PutRecord", {StreamName, Data: Uint8Array.of(0, 255), PartitionKey: "kü", ExplicitHashKey: "0"});
  await call("PutRecord", {StreamName, Data: utf8("2"), PartitionKey: "k", ExplicitHashKey: "0",
                           SequenceNumberForOrdering: first.SequenceNumber});
  const many = await call("PutRecords", {StreamName, Records: Array.from({length: 500}, (_, i) =>
    ({Data: utf8(String(i)), PartitionKey: `p${i}`, ExplicitHashKey: "1"}))});
  assert.equal(many.FailedRecordCount, 0);
  assert.equal(many.Records.length, 500);
  async function read(iterator, count) {
    const records = [];
    while (records.length < count) {
      const answer = await call("GetRecords", {ShardIterator: iterator, Limit: 300});
      records.push(...answer.Records);
      iterator = answer.NextShardIterator;
    }
    return records;
  }
  const all = await read(await position("TRIM_HORIZON"), 502);
  assert.deepEqual([...all[0].Data], [0, 255]);
  assert.equal(all[0].PartitionKey, "kü");
  assert(Math.abs(all[0].ApproximateArrivalTimestamp - Date.now()) < 60000);
  assert.deepEqual(await read(latest, 502), all);
  const StartingSequenceNumber = all[1].SequenceNumber;
  assert.deepEqual(await read(await position("AT_SEQUENCE_NUMBER", {StartingSequenceNumber}), 501), all.slice(1));
  assert.deepEqual(await read(await position("AFTER_SEQUENCE_NUMBER", {StartingSequenceNumber}), 500), all.slice(2));
  const Timestamp = new Date(all[0].ApproximateArrivalTimestamp.getTime());
  assert.deepEqual(await read(await position("AT_TIMESTAMP", {Timestamp}), 502), all);
  await refused("InvalidArgumentException", "GetRecords", {ShardIterator: "AAAA"}, "Invalid ShardIterator.");
  await refused("ValidationException", "PutRecords", {StreamName, Records: []}, "1 validation error detected");
  await refused("DryRunOperationException", "PutRecord", {StreamName, Data: utf8("x"), PartitionKey: "k", DryRun: true});
  await Promise.all(Array.from({length: 64}, (_, i) => call("PutRecord", {StreamName, Data: utf8(`at once ${i}`), PartitionKey: `${i}`})));
}

async function fanOut() {
  const {ConsumerARN} = (await call("RegisterStreamConsumer", {StreamARN: arn, ConsumerName: "fan"})).Consumer;
  for (let i = 0; ; ++i) {
    const {ConsumerStatus} = (await call("DescribeStreamConsumer", {ConsumerARN})).ConsumerDescription;
    if (ConsumerStatus === "ACTIVE") break;
    assert(i < 100);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal((await call("ListStreamConsumers", {StreamARN: arn})).Consumers.length, 1);
  const shard = (await call("ListShards", {StreamName, ShardFilter: {Type: "AT_LATEST"}})).Shards[0];
  const answer = await call("SubscribeToShard", {ConsumerARN, ShardId: shard.ShardId, StartingPosition: {Type: "TRIM_HORIZON"}});
  const texts = [];
  let children = null;
  for await (const {SubscribeToShardEvent: event} of answer.EventStream) {
    assert(event, "an event of the known kind");
    if (texts.length === 0 && event.Records.length > 0) {
      await call("PutRecord", {StreamName, Data: utf8("pushed"), PartitionKey: "k", ExplicitHashKey: "0"});
      const middle = BigInt(shard.HashKeyRange.EndingHashKey) / 2n;
      await call("SplitShard", {StreamName, ShardToSplit: shard.ShardId, NewStartingHashKey: String(middle)});
    }
    texts.push(...event.Records.map((record) => textOf(record.Data)));
    if (event.ChildShards?.length) {
      assert.equal(event.ContinuationSequenceNumber, undefined);
      children = event.ChildShards.map((child) => child.ShardId).sort();
    }
  }
  assert.equal(texts.at(-1), "pushed");
  assert.equal(children?.length, 2, "the shard's end names its children");
  await wait();
  await call("MergeShards", {StreamName, ShardToMerge: children[0], AdjacentShardToMerge: children[1]});
  await wait();
  await refused("ResourceNotFoundException", "SubscribeToShard",
                {ConsumerARN, ShardId: "shardId-000000009999", StartingPosition: {Type: "LATEST"}});
  await call("DeregisterStreamConsumer", {ConsumerARN});
}

/** Every record of a stream by its key, parents before children. */
async function readLineage(name) {
  const {Shards} = await call("ListShards", {StreamName: name});
  const closed = new Set(Shards.filter((s) => s.SequenceNumberRange.EndingSequenceNumber).map((s) => s.ShardId));
  const read = new Map(), done = new Set(), waiting = Shards.map((shard) => [shard.ShardId, shard.ParentShardId,
                                                                            shard.AdjacentParentShardId]);
  while (waiting.length > 0) {
    const next = waiting.shift();
    const [ShardId, ...parents] = next;
    if (parents.some((parent) => parent && !done.has(parent))) {
      waiting.push(next);
      continue;
    }
    let iterator = (await call("GetShardIterator", {StreamName: name, ShardId, ShardIteratorType: "TRIM_HORIZON"})).ShardIterator;
    while (iterator) {
      const answer = await call("GetRecords", {ShardIterator: iterator, Limit: 5000});
      for (const record of answer.Records) {
        if (!read.has(record.PartitionKey)) read.set(record.PartitionKey, []);
        read.get(record.PartitionKey).push(textOf(record.Data));
      }
      iterator = answer.NextShardIterator;
      assert.equal(iterator === undefined, (answer.ChildShards ?? []).length > 0);
      if (!closed.has(ShardId) && answer.MillisBehindLatest === 0) break;
    }
    done.add(ShardId);
  }
  return read;
}

async function reshardUnderLoad() {
  const name = "load", sent = new Map();
  await call("CreateStream", {StreamName: name, ShardCount: 2});
  let isDone = false;
  const load = (async () => {
    for (let count = 0; !isDone; count += 100) {
      const Records = Array.from({length: 100}, (_, i) => ({Data: utf8(String(count + i)), PartitionKey: `load-${i % 50}`}));
      assert.equal((await call("PutRecords", {StreamName: name, Records})).FailedRecordCount, 0);
      for (const {PartitionKey, Data} of Records) sent.set(PartitionKey, [...sent.get(PartitionKey) ?? [], textOf(Data)]);
    }
  })();
  for (const TargetShardCount of [4, 2, 3]) {
    await call("UpdateShardCount", {StreamName: name, TargetShardCount, ScalingType: "UNIFORM_SCALING"});
    await sdk.waitUntilStreamExists({client, maxWaitTime: 30, minDelay: 1, maxDelay: 1}, {StreamName: name});
  }
  isDone = true;
  await load;
  assert.deepEqual(await readLineage(name), sent, "each record once, in its key's order");
  await call("DeleteStream", {StreamName: name});
}

async function retention() {
  await call("IncreaseStreamRetentionPeriod", {StreamName, RetentionPeriodHours: 48});
  await call("DecreaseStreamRetentionPeriod", {StreamName, RetentionPeriodHours: 24});
}

async function encryption() {
  await call("StartStreamEncryption", {StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis"});
  await wait();
  assert.equal((await call("PutRecord", {StreamName, Data: utf8("x"), PartitionKey: "k"})).EncryptionType, "KMS");
  await call("StopStreamEncryption", {StreamName, EncryptionType: "KMS", KeyId: "alias/aws/kinesis"});
  await wait();
}

async function monitoring() {
  await call("EnableEnhancedMonitoring", {StreamName, ShardLevelMetrics: ["IncomingBytes"]});
  await call("DisableEnhancedMonitoring", {StreamName, ShardLevelMetrics: ["ALL"]});
}

async function largeRecords() {
  await call("UpdateMaxRecordSize", {StreamARN: arn, MaxRecordSizeInKiB: 2048});
  await wait();
  assert.equal((await summary()).MaxRecordSizeInKiB, 2048);
}

async function modes() {
  await call("UpdateStreamMode", {StreamARN: arn, StreamModeDetails: {StreamMode: "ON_DEMAND"}});
  await wait();
  assert.equal((await summary()).StreamModeDetails.StreamMode, "ON_DEMAND");
}

for (const part of [create, tags, resourceTags, putAndRead, fanOut, reshardUnderLoad, retention, encryption, monitoring,
                    largeRecords, modes]) {
  try {
    await part();
  } catch (error) {
    if (!error.message?.endsWith("is not served yet.")) throw error;
    console.log(`skipped: ${part.name}: ${error.message}`);
  }
}
await call("DeleteStream", {StreamName});
await sdk.waitUntilStreamNotExists({client, maxWaitTime: 30, minDelay: 1, maxDelay: 1}, {StreamName});
client.destroy();
console.log(`JavaScript SDK over ${version}: the life of a stream passed`);
