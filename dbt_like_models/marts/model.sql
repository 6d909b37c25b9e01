SELECT
    m.model, m.hugging_face_id, m.total_parameters, m.active_parameters, m.model_licence, m.source_detail, m.source_url, m.source_on
FROM raw.reference_model AS m
