from sqlalchemy import create_engine, text

from tests.contracts.postgres import PostgresServer


def test_each_kind_of_database_starts_empty_and_takes_a_table(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE guest (name TEXT)"))
        connection.execute(text("INSERT INTO guest VALUES ('Ada')"))
        assert connection.scalar(text("SELECT name FROM guest")) == "Ada"
    engine.dispose()


def test_a_copy_of_a_database_holds_what_its_template_held(postgres: PostgresServer) -> None:
    with postgres.database() as template:
        engine = create_engine(template)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE guest (name TEXT)"))
        engine.dispose()
        with postgres.database(template=engine.url.database or "") as copy:
            engine = create_engine(copy)
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM guest")) == 0
            engine.dispose()
