// A KCL worker as people write them, for KCL 2 and 3: all three clients know the broker's address and nothing else.
// Worker URL STREAM APPLICATION WORKER polling|fanout; ends when its standard input does. Says what happens, a line each.
import java.lang.reflect.Method;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsConfig;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.RetrievalConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public final class Worker {
    private static synchronized void say(String what, String shard, Object more) {
        System.out.println("kcl: " + what + " " + shard + " " + more);
        System.out.flush();
    }

    private static final class Processor implements ShardRecordProcessor {
        private String shard = "?";

        @Override public void initialize(InitializationInput input) {
            shard = input.shardId();
            say("begin", shard, input.extendedSequenceNumber().sequenceNumber());
        }

        @Override public void processRecords(ProcessRecordsInput input) {
            input.records().forEach(record ->
                say("record", shard, record.sequenceNumber() + " " + StandardCharsets.UTF_8.decode(record.data())));
            if (input.records().isEmpty()) return;
            try {
                input.checkpointer().checkpoint();
                say("checkpoint", shard, "");
            } catch (ShutdownException stolen) {  // another worker has the lease, and begins at the last checkpoint
                say("stolen", shard, "");
            } catch (Exception failure) {
                say("failed", shard, failure);
            }
        }

        @Override public void leaseLost(LeaseLostInput input) { say("lost", shard, ""); }

        @Override public void shardEnded(ShardEndedInput input) {
            try {
                input.checkpointer().checkpoint();
                say("ended", shard, "");
            } catch (Exception failure) {
                say("failed", shard, failure);
            }
        }

        @Override public void shutdownRequested(ShutdownRequestedInput input) {
            try {
                input.checkpointer().checkpoint();
            } catch (Exception failure) {
                say("failed", shard, failure);
            }
        }
    }

    /** Sets what this version of the library has; a text stands for a constant of an enumeration. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static void set(Object config, String name, Object value) throws Exception {
        for (Method method : config.getClass().getMethods()) {
            if (!method.getName().equals(name) || method.getParameterCount() != 1) continue;
            Class type = method.getParameterTypes()[0];
            method.invoke(config, type.isEnum() ? Enum.valueOf(type, (String) value) : value);
            return;
        }
    }

    public static void main(String[] arguments) throws Exception {
        URI broker = URI.create(arguments[0]);
        String stream = arguments[1], application = arguments[2], worker = arguments[3];
        Region region = Region.EU_WEST_1;
        KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(
            KinesisAsyncClient.builder().endpointOverride(broker).region(region));
        DynamoDbAsyncClient dynamo = DynamoDbAsyncClient.builder().endpointOverride(broker).region(region).build();
        CloudWatchAsyncClient watch = CloudWatchAsyncClient.builder().endpointOverride(broker).region(region).build();
        ConfigsBuilder configs =
            new ConfigsBuilder(stream, application, kinesis, dynamo, watch, worker, Processor::new);
        // As an application has it but for its times, which are for minutes.
        LeaseManagementConfig leases = configs.leaseManagementConfig();
        leases.failoverTimeMillis(3000);
        leases.shardSyncIntervalMillis(2000);
        leases.leasesRecoveryAuditorExecutionFrequencyMillis(3000);
        set(leases, "leaseAssignmentIntervalMillis", 2000L);
        set(leases, "dynamoDbLockBasedLeaderLeaseDurationInMillis", 8000L);
        set(leases, "dynamoDbLockBasedLeaderHeartbeatPeriodInMillis", 2000L);
        // KCL 3 shares by the workers' load, which is one here: they are on the same machine.
        set(leases, "leaseAssignmentStrategy", "LEASE_COUNT_BASED");
        CoordinatorConfig coordinator = configs.coordinatorConfig();
        coordinator.parentShardPollIntervalMillis(1000);
        MetricsConfig metrics = configs.metricsConfig();
        metrics.metricsBufferTimeMillis(1000);
        RetrievalConfig retrieval = configs.retrievalConfig();
        if (arguments[4].equals("polling")) {
            PollingConfig polling = new PollingConfig(stream, kinesis);
            polling.idleTimeBetweenReadsInMillis(250);
            retrieval.retrievalSpecificConfig(polling);
        }
        retrieval.initialPositionInStreamExtended(
            software.amazon.kinesis.common.InitialPositionInStreamExtended.newInitialPosition(
                software.amazon.kinesis.common.InitialPositionInStream.TRIM_HORIZON));
        Scheduler scheduler = new Scheduler(configs.checkpointConfig(), coordinator, leases, configs.lifecycleConfig(),
                                            metrics, configs.processorConfig(), retrieval);
        Thread thread = new Thread(scheduler);
        thread.setDaemon(true);
        thread.start();
        while (System.in.read() >= 0) { }
        // KCL 2's graceful shutdown may wait for ever when a shard ended just before; what it has checkpointed counts.
        java.util.concurrent.Future<Boolean> stopping = scheduler.startGracefulShutdown();
        boolean isDone = false;
        try {
            isDone = stopping.get(30, java.util.concurrent.TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException late) {
            scheduler.shutdown();
            thread.join(30000);
        }
        say("stopped", worker, isDone);
        System.exit(0);
    }
}
