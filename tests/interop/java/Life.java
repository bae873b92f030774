import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;
import software.amazon.awssdk.utils.AttributeMap;

/**
 * The whole life of a stream through the AWS SDK for Java v2, which speaks CBOR: java Life URL sync|async.
 * "sync" is the URL-connection client over HTTP/1.1, "async" the Netty client over HTTP/2, which KCL takes.
 * The first writes, reads and reshards; what else there is goes through the second.
 */
public final class Life {
    private static final String STREAM = "life";
    private static final String ARN = "arn:aws:kinesis:eu-west-1:000000000000:stream/life";

    /** Prints what each call has shown. */
    static final class Facts implements ExecutionInterceptor {
        private static void members(SdkPojo of, String prefix, Set<String> names) {
            for (SdkField<?> field : of.sdkFields()) {
                Object value = field.getValueOrDefault(of);
                if (value == null || value instanceof List<?> list && list.isEmpty() && value.getClass().getName().contains("Auto"))
                    continue;
                if (value instanceof Map<?, ?> map && map.isEmpty()) continue;
                String name = prefix + field.memberName();
                names.add(name);
                for (Object inner : value instanceof List<?> list ? list : List.of(value))
                    if (inner instanceof SdkPojo pojo) members(pojo, name + ".", names);
            }
        }

        @Override
        public void afterExecution(Context.AfterExecution context, ExecutionAttributes attributes) {
            Set<String> names = new LinkedHashSet<>();
            members((SdkPojo) context.request(), "", names);
            say(attributes, String.join(" ", names));
        }

        @Override
        public void onExecutionFailure(Context.FailedExecution context, ExecutionAttributes attributes) {
            Throwable error = context.exception();
            while (error instanceof CompletionException && error.getCause() != null) error = error.getCause();
            if (error instanceof KinesisException known && !known.awsErrorDetails().errorCode().equals("UnknownOperationException"))
                say(attributes, "!" + known.awsErrorDetails().errorCode());
        }

        private static synchronized void say(ExecutionAttributes attributes, String words) {
            System.out.println("fact: " + attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME) + " " + words);
        }
    }

    private final KinesisClient sync;
    private final KinesisAsyncClient async;
    private final boolean isAsync;

    private Life(String url, boolean isAsync) {
        this.isAsync = isAsync;
        var credentials = StaticCredentialsProvider.create(AwsBasicCredentials.create("tidemill", "tidemill"));
        var override = ClientOverrideConfiguration.builder().addExecutionInterceptor(new Facts())
            .retryStrategy(DefaultRetryStrategy.doNotRetry()).build();
        AttributeMap trust = AttributeMap.builder().put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, true).build();
        sync = KinesisClient.builder().endpointOverride(URI.create(url)).region(Region.EU_WEST_1)
            .credentialsProvider(credentials).overrideConfiguration(override)
            .httpClient(UrlConnectionHttpClient.builder().buildWithDefaults(trust)).build();
        async = KinesisAsyncClient.builder().endpointOverride(URI.create(url)).region(Region.EU_WEST_1)
            .credentialsProvider(credentials).overrideConfiguration(override)
            .httpClient(NettyNioAsyncHttpClient.builder().protocol(Protocol.HTTP2).buildWithDefaults(trust)).build();
    }

    private static void check(boolean condition, Object said) {
        if (!condition) throw new AssertionError(String.valueOf(said));
    }

    private static <T> T get(CompletableFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException error) {
            if (error.getCause() instanceof RuntimeException cause) throw cause;
            throw new AssertionError(error.getCause());
        } catch (Exception error) {
            throw new AssertionError(error);
        }
    }

    private <E extends KinesisException> E refused(Class<E> type, Supplier<?> call, String words) {
        try {
            call.get();
        } catch (RuntimeException error) {
            check(type.isInstance(error), type + " expected, got " + error);
            E known = type.cast(error);
            check(known.awsErrorDetails().errorMessage().contains(words), known);
            check(known.requestId() != null && known.extendedRequestId() != null, "no request ids");
            return known;
        }
        throw new AssertionError(type + " expected");
    }

    // One call, by the client that is being tested.
    private CreateStreamResponse create(CreateStreamRequest r) { return isAsync ? get(async.createStream(r)) : sync.createStream(r); }
    private DeleteStreamResponse delete(DeleteStreamRequest r) { return isAsync ? get(async.deleteStream(r)) : sync.deleteStream(r); }
    private DescribeStreamResponse describe(DescribeStreamRequest r) { return isAsync ? get(async.describeStream(r)) : sync.describeStream(r); }
    private DescribeStreamSummaryResponse summary(DescribeStreamSummaryRequest r) { return isAsync ? get(async.describeStreamSummary(r)) : sync.describeStreamSummary(r); }
    private ListShardsResponse shards(ListShardsRequest r) { return isAsync ? get(async.listShards(r)) : sync.listShards(r); }
    private PutRecordResponse put(PutRecordRequest r) { return isAsync ? get(async.putRecord(r)) : sync.putRecord(r); }
    private PutRecordsResponse put(PutRecordsRequest r) { return isAsync ? get(async.putRecords(r)) : sync.putRecords(r); }
    private GetShardIteratorResponse iterator(GetShardIteratorRequest r) { return isAsync ? get(async.getShardIterator(r)) : sync.getShardIterator(r); }
    private GetRecordsResponse records(GetRecordsRequest r) { return isAsync ? get(async.getRecords(r)) : sync.getRecords(r); }
    private SplitShardResponse split(SplitShardRequest r) { return isAsync ? get(async.splitShard(r)) : sync.splitShard(r); }
    private MergeShardsResponse merge(MergeShardsRequest r) { return isAsync ? get(async.mergeShards(r)) : sync.mergeShards(r); }
    private UpdateShardCountResponse scale(UpdateShardCountRequest r) { return isAsync ? get(async.updateShardCount(r)) : sync.updateShardCount(r); }

    private StreamDescriptionSummary summary() {
        return summary(DescribeStreamSummaryRequest.builder().streamName(STREAM).build()).streamDescriptionSummary();
    }

    private void waitFor(String name) {
        if (isAsync)
            try (var waiter = async.waiter()) {
                get(waiter.waitUntilStreamExists(r -> r.streamName(name)));
            }
        else
            try (var waiter = sync.waiter()) {
                waiter.waitUntilStreamExists(r -> r.streamName(name));
            }
    }

    private static PutRecordsRequestEntry entry(String text, String key, String hash) {
        return PutRecordsRequestEntry.builder().data(SdkBytes.fromUtf8String(text)).partitionKey(key).explicitHashKey(hash).build();
    }

    private void create() {
        create(CreateStreamRequest.builder().streamName(STREAM).shardCount(2).tags(Map.of("made", "by life")).build());
        waitFor(STREAM);
        StreamDescription description = describe(DescribeStreamRequest.builder().streamName(STREAM).limit(1).build()).streamDescription();
        check(description.hasMoreShards() && description.shards().size() == 1, description);
        Duration age = Duration.between(description.streamCreationTimestamp(), Instant.now());
        check(age.abs().compareTo(Duration.ofMinutes(1)) < 0, "a time in CBOR: " + description.streamCreationTimestamp());
        check(summary().streamARN().equals(ARN) && summary().openShardCount() == 2, summary());
        ListShardsResponse first = shards(ListShardsRequest.builder().streamName(STREAM).maxResults(1).build());
        ListShardsResponse second = shards(ListShardsRequest.builder().nextToken(first.nextToken()).build());
        check(second.shards().get(0).shardId().equals("shardId-000000000001") && second.nextToken() == null, second);
        refused(ResourceInUseException.class, () -> create(CreateStreamRequest.builder().streamName(STREAM).shardCount(1).build()), "already exists.");
        refused(ResourceNotFoundException.class, () -> describe(DescribeStreamRequest.builder().streamName("none").build()),
            "Stream none under account 000000000000 not found.");
    }

    private String position(ShardIteratorType type, java.util.function.Consumer<GetShardIteratorRequest.Builder> more) {
        return iterator(GetShardIteratorRequest.builder().streamName(STREAM).shardId("shardId-000000000000")
            .shardIteratorType(type).applyMutation(more).build()).shardIterator();
    }

    private List<software.amazon.awssdk.services.kinesis.model.Record> read(String iterator, int count) {
        var read = new ArrayList<software.amazon.awssdk.services.kinesis.model.Record>();
        while (read.size() < count) {
            GetRecordsResponse answer = records(GetRecordsRequest.builder().shardIterator(iterator).limit(300).build());
            read.addAll(answer.records());
            iterator = answer.nextShardIterator();
        }
        return read;
    }

    private void putAndRead() {
        String latest = position(ShardIteratorType.LATEST, r -> {});
        byte[] bytes = {0, (byte) 0xff};
        PutRecordResponse first = put(PutRecordRequest.builder().streamName(STREAM).data(SdkBytes.fromByteArray(bytes))
            .partitionKey("kü").explicitHashKey("0").build());
        put(PutRecordRequest.builder().streamName(STREAM).data(SdkBytes.fromUtf8String("2")).partitionKey("k").explicitHashKey("0")
            .sequenceNumberForOrdering(first.sequenceNumber()).build());
        var entries = new ArrayList<PutRecordsRequestEntry>();
        for (int i = 0; i < 500; ++i) entries.add(entry(String.valueOf(i), "p" + i, "1"));
        PutRecordsResponse many = put(PutRecordsRequest.builder().streamName(STREAM).records(entries).build());
        check(many.failedRecordCount() == 0 && many.records().size() == 500, many);
        var all = read(position(ShardIteratorType.TRIM_HORIZON, r -> {}), 502);
        check(Arrays.equals(all.get(0).data().asByteArray(), bytes) && all.get(0).partitionKey().equals("kü"), all.get(0));
        Instant arrival = all.get(0).approximateArrivalTimestamp();
        check(Duration.between(arrival, Instant.now()).abs().compareTo(Duration.ofMinutes(1)) < 0, "a time in CBOR: " + arrival);
        check(read(latest, 502).equals(all), "LATEST means the tip of when it was asked for");
        String number = all.get(1).sequenceNumber();
        check(read(position(ShardIteratorType.AT_SEQUENCE_NUMBER, r -> r.startingSequenceNumber(number)), 501).equals(all.subList(1, 502)), "at");
        check(read(position(ShardIteratorType.AFTER_SEQUENCE_NUMBER, r -> r.startingSequenceNumber(number)), 500).equals(all.subList(2, 502)), "after");
        check(read(position(ShardIteratorType.AT_TIMESTAMP, r -> r.timestamp(arrival)), 502).equals(all), "a time in CBOR");
        // Longer than what Jackson writes in one piece.
        refused(InvalidArgumentException.class, () -> records(GetRecordsRequest.builder().shardIterator("AAAA").build()), "Invalid ShardIterator.");
        KinesisException long_name = refused(KinesisException.class,
            () -> describe(DescribeStreamRequest.builder().streamName("x".repeat(9000)).build()), "Member must have length less than or equal to 128");
        check(long_name.awsErrorDetails().errorCode().equals("ValidationException"), long_name);
        refused(ValidationException.class, () -> put(PutRecordsRequest.builder().streamName(STREAM).records(List.of()).build()), "1 validation error detected");
    }

    private void fanOut() throws Exception {
        String consumer = get(async.registerStreamConsumer(r -> r.streamARN(ARN).consumerName("fan"))).consumer().consumerARN();
        while (get(async.describeStreamConsumer(r -> r.consumerARN(consumer))).consumerDescription().consumerStatus() != ConsumerStatus.ACTIVE)
            Thread.sleep(200);
        check(get(async.listStreamConsumers(r -> r.streamARN(ARN))).consumers().size() == 1, "consumers");
        Shard shard = shards(ListShardsRequest.builder().streamName(STREAM).shardFilter(f -> f.type(ShardFilterType.AT_LATEST)).build()).shards().get(0);
        var texts = new ArrayList<String>();
        var children = new ArrayList<ChildShard>();
        var isReading = new CompletableFuture<Void>();
        CompletableFuture<Void> subscription = async.subscribeToShard(
            r -> r.consumerARN(consumer).shardId(shard.shardId()).startingPosition(p -> p.type(ShardIteratorType.TRIM_HORIZON)),
            SubscribeToShardResponseHandler.builder().subscriber(
                SubscribeToShardResponseHandler.Visitor.builder().onSubscribeToShardEvent(event -> {
                    for (var record : event.records()) texts.add(new String(record.data().asByteArrayUnsafe(), java.nio.charset.StandardCharsets.UTF_8));
                    if (event.hasChildShards() && !event.childShards().isEmpty()) {
                        check(event.continuationSequenceNumber() == null, event);
                        children.addAll(event.childShards());
                    }
                    isReading.complete(null);
                }).build()).build());
        CompletableFuture.anyOf(isReading, subscription).get(20, TimeUnit.SECONDS);
        put(PutRecordRequest.builder().streamName(STREAM).data(SdkBytes.fromUtf8String("pushed")).partitionKey("k").explicitHashKey("0").build());
        var middle = new java.math.BigInteger(shard.hashKeyRange().endingHashKey()).shiftRight(1);
        split(SplitShardRequest.builder().streamName(STREAM).shardToSplit(shard.shardId()).newStartingHashKey(middle.toString()).build());
        subscription.get(30, TimeUnit.SECONDS);
        check(texts.get(texts.size() - 1).equals("pushed"), texts.size());
        check(children.size() == 2 && children.get(0).parentShards().equals(List.of(shard.shardId())), children);
        waitFor(STREAM);
        var names = children.stream().map(ChildShard::shardId).sorted().toList();
        merge(MergeShardsRequest.builder().streamName(STREAM).shardToMerge(names.get(0)).adjacentShardToMerge(names.get(1)).build());
        waitFor(STREAM);
        refused(ResourceNotFoundException.class, () -> get(async.subscribeToShard(
            r -> r.consumerARN(consumer).shardId("shardId-000000009999").startingPosition(p -> p.type(ShardIteratorType.LATEST)),
            SubscribeToShardResponseHandler.builder().subscriber(event -> {}).build())), "");
        get(async.deregisterStreamConsumer(r -> r.consumerARN(consumer)));
    }

    private Map<String, List<String>> readLineage(String name) {
        List<Shard> waiting = new ArrayList<>(shards(ListShardsRequest.builder().streamName(name).build()).shards());
        var read = new TreeMap<String, List<String>>();
        var done = new HashSet<String>();
        while (!waiting.isEmpty()) {
            Shard shard = waiting.remove(0);
            if (shard.parentShardId() != null && !done.contains(shard.parentShardId())
                || shard.adjacentParentShardId() != null && !done.contains(shard.adjacentParentShardId())) {
                waiting.add(shard);
                continue;
            }
            boolean isClosed = shard.sequenceNumberRange().endingSequenceNumber() != null;
            String at = iterator(GetShardIteratorRequest.builder().streamName(name).shardId(shard.shardId())
                .shardIteratorType(ShardIteratorType.TRIM_HORIZON).build()).shardIterator();
            while (at != null) {
                GetRecordsResponse answer = records(GetRecordsRequest.builder().shardIterator(at).limit(5000).build());
                for (var record : answer.records())
                    read.computeIfAbsent(record.partitionKey(), k -> new ArrayList<>()).add(record.data().asUtf8String());
                at = answer.nextShardIterator();
                check((at == null) == (answer.hasChildShards() && !answer.childShards().isEmpty()), answer);
                if (!isClosed && answer.millisBehindLatest() == 0) break;
            }
            done.add(shard.shardId());
        }
        return read;
    }

    private void reshardUnderLoad() {
        create(CreateStreamRequest.builder().streamName("load").shardCount(2).build());
        var sent = new TreeMap<String, List<String>>();
        var isDone = new AtomicBoolean();
        CompletableFuture<Void> load = CompletableFuture.runAsync(() -> {
            for (int count = 0; !isDone.get(); count += 100) {
                var entries = new ArrayList<PutRecordsRequestEntry>();
                for (int i = 0; i < 100; ++i) {
                    String key = "load-" + i % 50, text = String.valueOf(count + i);
                    entries.add(entry(text, key, null));
                    sent.computeIfAbsent(key, k -> new ArrayList<>()).add(text);
                }
                check(put(PutRecordsRequest.builder().streamName("load").records(entries).build()).failedRecordCount() == 0, "failed");
            }
        });
        for (int target : new int[] {4, 2, 3}) {
            scale(UpdateShardCountRequest.builder().streamName("load").targetShardCount(target).scalingType(ScalingType.UNIFORM_SCALING).build());
            waitFor("load");
        }
        isDone.set(true);
        get(load);
        check(readLineage("load").equals(sent), "each record once, in its key's order");
        delete(DeleteStreamRequest.builder().streamName("load").build());
    }

    private void settings() {
        get(async.addTagsToStream(r -> r.streamName(STREAM).tags(Map.of("env", "test"))));
        check(get(async.listTagsForStream(r -> r.streamName(STREAM))).tags().size() == 2, "tags");
        get(async.increaseStreamRetentionPeriod(r -> r.streamName(STREAM).retentionPeriodHours(48)));
        check(summary().retentionPeriodHours() == 48, summary());
    }

    private void encryption() {
        get(async.startStreamEncryption(r -> r.streamName(STREAM).encryptionType(EncryptionType.KMS).keyId("alias/aws/kinesis")));
        waitFor(STREAM);
        PutRecordResponse sealed = put(PutRecordRequest.builder().streamName(STREAM).data(SdkBytes.fromUtf8String("x")).partitionKey("k").build());
        check(sealed.encryptionType() == EncryptionType.KMS, sealed);
        get(async.stopStreamEncryption(r -> r.streamName(STREAM).encryptionType(EncryptionType.KMS).keyId("alias/aws/kinesis")));
        waitFor(STREAM);
    }

    private void modes() {
        get(async.updateStreamMode(r -> r.streamARN(ARN).streamModeDetails(m -> m.streamMode(StreamMode.ON_DEMAND))));
        waitFor(STREAM);
        check(summary().streamModeDetails().streamMode() == StreamMode.ON_DEMAND, summary());
        check(get(async.describeLimits()).onDemandStreamCount() == 1, "limits");
    }

    interface Part {
        void run() throws Exception;
    }

    /** Passes over what the broker says that it does not serve yet. */
    private static void unlessUnserved(Part part) throws Exception {
        try {
            part.run();
        } catch (KinesisException error) {
            String said = error.awsErrorDetails().errorMessage();
            if (said == null || !said.endsWith("is not served yet.")) throw error;
            System.out.println("skipped: " + said);
        }
    }

    private void run() throws Exception {
        create();
        putAndRead();
        reshardUnderLoad();
        if (isAsync)
            for (Part part : new Part[] {this::fanOut, this::settings, this::encryption, this::modes}) unlessUnserved(part);
        delete(DeleteStreamRequest.builder().streamName(STREAM).enforceConsumerDeletion(true).build());
        refused(ResourceNotFoundException.class, () -> summary(), "not found.");
        sync.close();
        async.close();
    }

    public static void main(String[] arguments) throws Exception {
        new Life(arguments[0], arguments[1].equals("async")).run();
        System.out.println("Java SDK, " + arguments[1] + ", " + arguments[0].replaceAll(":.*", "") + ": the life of a stream passed");
    }
}
