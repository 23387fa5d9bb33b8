-- Runs once, when the volume of MySQL is empty: a database for each service that keeps something.
create database if not exists spanwise_session character set utf8mb4 collate utf8mb4_bin;
create database if not exists spanwise_tool_host character set utf8mb4 collate utf8mb4_bin;
create database if not exists spanwise_filesystem character set utf8mb4 collate utf8mb4_bin;
grant all privileges on spanwise_session.* to 'spanwise'@'%';
grant all privileges on spanwise_tool_host.* to 'spanwise'@'%';
grant all privileges on spanwise_filesystem.* to 'spanwise'@'%';
