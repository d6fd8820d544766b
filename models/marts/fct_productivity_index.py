"""Productivity indices of the studies' observations; what they are stands in seed_efficiency_model."""


def model(dbt, session):  # type: ignore[no-untyped-def]
    from analysis_py.efficiency.study_scores import index_table
    from analysis_py.settings import paths

    observations = dbt.ref("int_efficiency_inputs").df()
    models = dbt.ref("seed_efficiency_model").df()
    return index_table(observations, models, paths().cache)
