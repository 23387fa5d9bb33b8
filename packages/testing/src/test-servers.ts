/** URL of the MySQL or MariaDB server of this test run, without a database; undefined where none can be had. */
export const mysqlServerUrl: string | undefined = process.env.SPANWISE_TEST_MYSQL_URL || undefined;

/** URL of the NATS server of this test run; undefined where none can be had. */
export const natsServerUrl: string | undefined = process.env.SPANWISE_TEST_NATS_URL || undefined;
