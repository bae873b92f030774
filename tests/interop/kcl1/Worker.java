// A KCL 1 worker, on the first AWS SDK for Java; says what kcl/Worker.java says.
// Worker URL STREAM APPLICATION WORKER polling; ends when its standard input does.
import com.amazonaws.auth.EnvironmentVariableCredentialsProvider;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.cloudwatch.AmazonCloudWatchClientBuilder;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.kinesis.AmazonKinesisClientBuilder;
import com.amazonaws.services.kinesis.clientlibrary.exceptions.ShutdownException;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.IRecordProcessorCheckpointer;
import com.amazonaws.services.kinesis.clientlibrary.interfaces.v2.IRecordProcessor;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.InitialPositionInStream;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.KinesisClientLibConfiguration;
import com.amazonaws.services.kinesis.clientlibrary.lib.worker.ShutdownReason;
import com.amazonaws.services.kinesis.clientlibrary.types.InitializationInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ProcessRecordsInput;
import com.amazonaws.services.kinesis.clientlibrary.types.ShutdownInput;
import java.nio.charset.StandardCharsets;

public final class Worker {
    private static synchronized void say(String what, String shard, Object more) {
        System.out.println("kcl: " + what + " " + shard + " " + more);
        System.out.flush();
    }

    private static final class Processor implements IRecordProcessor {
        private String shard = "?";

        private void checkpoint(IRecordProcessorCheckpointer checkpointer, String done) {
            try {
                checkpointer.checkpoint();
                say(done, shard, "");
            } catch (ShutdownException stolen) {  // another worker has the lease, and begins at the last checkpoint
                say("stolen", shard, "");
            } catch (Exception failure) {
                say("failed", shard, failure);
            }
        }

        @Override public void initialize(InitializationInput input) {
            shard = input.getShardId();
            say("begin", shard, input.getExtendedSequenceNumber().getSequenceNumber());
        }

        @Override public void processRecords(ProcessRecordsInput input) {
            input.getRecords().forEach(record ->
                say("record", shard, record.getSequenceNumber() + " " + StandardCharsets.UTF_8.decode(record.getData())));
            if (!input.getRecords().isEmpty()) checkpoint(input.getCheckpointer(), "checkpoint");
        }

        @Override public void shutdown(ShutdownInput input) {
            if (input.getShutdownReason() == ShutdownReason.TERMINATE)
                checkpoint(input.getCheckpointer(), "ended");
            else
                say("lost", shard, "");
        }
    }

    public static void main(String[] arguments) throws Exception {
        EndpointConfiguration broker = new EndpointConfiguration(arguments[0], "eu-west-1");
        KinesisClientLibConfiguration configuration =
            new KinesisClientLibConfiguration(arguments[2], arguments[1], new EnvironmentVariableCredentialsProvider(), arguments[3])
                .withInitialPositionInStream(InitialPositionInStream.TRIM_HORIZON)
                .withFailoverTimeMillis(3000).withShardSyncIntervalMillis(2000).withParentShardPollIntervalMillis(1000)
                .withIdleTimeBetweenReadsInMillis(250).withMetricsBufferTimeMillis(1000);
        com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker worker =
            new com.amazonaws.services.kinesis.clientlibrary.lib.worker.Worker.Builder()
                .recordProcessorFactory(Processor::new)
                .config(configuration)
                .kinesisClient(AmazonKinesisClientBuilder.standard().withEndpointConfiguration(broker).build())
                .dynamoDBClient(AmazonDynamoDBClientBuilder.standard().withEndpointConfiguration(broker).build())
                .cloudWatchClient(AmazonCloudWatchClientBuilder.standard().withEndpointConfiguration(broker).build())
                .build();
        Thread thread = new Thread(worker);
        thread.setDaemon(true);
        thread.start();
        while (System.in.read() >= 0) { }
        say("stopped", arguments[3], worker.startGracefulShutdown().get(60, java.util.concurrent.TimeUnit.SECONDS));
        System.exit(0);
    }
}
