import Cohorts
import Training

// What each job reads and writes, so that the paths are looked at before the work begins.

extension Optional where Wrapped == String {
    /// The input at the path; none where there is no path.
    fileprivate func input(_ role: JobInput.Role, _ setting: String) -> [JobInput] {
        map { [JobInput($0, role, setting: setting)] } ?? []
    }
}

extension [String] {
    /// An input for each path.
    fileprivate func inputs(_ role: JobInput.Role, _ setting: String?) -> [JobInput] {
        map { JobInput($0, role, setting: setting) }
    }
}

extension ImportJob {
    public var inputs: [JobInput] {
        [JobInput(folder, .photographs, setting: nil)] + labels.input(.table, "labels")
            + (map.map(ShippedMap.isShipped) == true ? nil : map).input(.labelMap, "map")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .hdf5)] }
}

extension PhantomJob {
    public var outputs: [JobOutput] { [JobOutput(output, .hdf5)] }
}

extension TrainJob {
    public var inputs: [JobInput] {
        data.inputs(.dataset, "data") + wishes.base.input(.model, "base") + trust.input(.trustList, "trust")
            + wishes.canaries.input(.dataset, "canaries") + wishes.config.input(.settings, "config")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .folder)] }
}

extension ValidateJob {
    public var inputs: [JobInput] {
        [JobInput(model, .model, setting: nil)] + against.input(.model, "against") + data.inputs(.dataset, "data")
    }
}

extension SampleJob {
    public var inputs: [JobInput] {
        let model = [JobInput(self.model.snapshot, .model, setting: "model")]
        if case .plan(let table) = wish { return model + [JobInput(table, .table, setting: "plan")] }
        return model
    }
    // A run that was begun under some name goes on under it.
    public var outputs: [JobOutput] { resumes ? [] : [JobOutput(output, .hdf5)] }
}

extension ReplayJob {
    public var inputs: [JobInput] {
        [JobInput(file, .sampleSet, setting: nil), JobInput(model.snapshot, .model, setting: "model")]
    }
}

extension AuditJob {
    public var inputs: [JobInput] {
        (samples.map { [JobInput($0, .auditedPictures, setting: nil)] } ?? [])
            + [JobInput(train, .auditPhotographs, setting: "train")] + holdout.input(.auditPhotographs, "holdout")
            + model.input(.model, "model") + reference.input(.model, "reference")
            + canaryModel.input(.model, "canaryModel") + canaries.input(.dataset, "canaries")
            + policy.input(.settings, "policy") + siteKey.input(.privateKey, "siteKey")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .folder)] }
}

extension SignAuditJob {
    public var inputs: [JobInput] {
        [JobInput(audit, .auditFolder, setting: nil), JobInput(key, .privateKey, setting: "key")]
            + trust.input(.trustList, "trust")
    }
}

extension ReleaseJob {
    public var inputs: [JobInput] {
        [JobInput(samples, .sampleSet, setting: nil), JobInput(audit, .auditFolder, setting: "audit")]
            + [JobInput(key, .privateKey, setting: "key")] + trust.input(.trustList, "trust")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .hdf5)] }
}

extension ExportJob {
    public var inputs: [JobInput] { [JobInput(file, .sampleSet, setting: nil)] }
    public var outputs: [JobOutput] { [JobOutput(output, .folder)] }
}

extension ReportJob {
    public var inputs: [JobInput] { [JobInput(samples, .sampleSet, setting: nil)] }
    public var outputs: [JobOutput] { [JobOutput(output, .page)] }
}

extension InspectJob {
    public var inputs: [JobInput] { [JobInput(file, .anything, setting: nil)] }
}

extension VerifyJob {
    public var inputs: [JobInput] { [JobInput(file, .anything, setting: nil)] + trust.input(.trustList, "trust") }
}

extension SealJob {
    public var inputs: [JobInput] {
        [JobInput(weights, .weights, setting: nil), JobInput(key, .privateKey, setting: "key")]
            + audit.input(.auditFolder, "audit") + trust.input(.trustList, "trust")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .parcel)] }
}

extension OpenParcelJob {
    public var inputs: [JobInput] { [JobInput(file, .parcel, setting: nil)] + trust.input(.trustList, "trust") }
    public var outputs: [JobOutput] { output.map { [JobOutput($0, .weights)] } ?? [] }
}

extension SignBaseJob {
    public var inputs: [JobInput] {
        [JobInput(weights, .model, setting: nil), JobInput(key, .privateKey, setting: "key")]
    }
    public var outputs: [JobOutput] { [JobOutput(output, .weights)] }
}

extension MergeJob {
    public var inputs: [JobInput] {
        parcels.inputs(.parcel, nil) + [JobInput(base, .model, setting: "base")]
            + [JobInput(trust, .trustList, setting: "trust")] + key.input(.privateKey, "key")
            + canary.input(.dataset, "canary") + previous.input(.model, "previous")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .weights)] }
}

extension WithdrawJob {
    public var inputs: [JobInput] {
        [JobInput(from, .model, setting: "from")] + samples.inputs(.sampleSet, "samples")
            + trust.input(.trustList, "trust") + key.input(.privateKey, "key")
    }
    public var outputs: [JobOutput] { [JobOutput(output, .weights)] }
}

extension ImportModelJob {
    public var outputs: [JobOutput] { [JobOutput(output, .weights)] }
}

extension ExportModelJob {
    public var inputs: [JobInput] {
        [JobInput(snapshot, .model, setting: nil)] + audit.input(.auditFolder, "audit")
            + trust.input(.trustList, "trust")
    }
}

extension SimulateJob {
    public var inputs: [JobInput] {
        data.inputs(.dataset, "data") + [JobInput(base, .model, setting: "base")]
            + config.input(.settings, "config")
    }
}

extension FederateStepJob {
    // The data are a folder of data sets, which the job itself opens.
    public var inputs: [JobInput] { trust.input(.trustList, "trust") }
}

extension BeginRoundJob {
    public var inputs: [JobInput] {
        [
            JobInput(base, .model, setting: "base"), JobInput(trust, .trustList, setting: "trust"),
            JobInput(key, .privateKey, setting: "key"),
        ]
    }
}

extension RoundStatusJob {
    public var inputs: [JobInput] { [JobInput(folder, .roundFolder, setting: nil)] + trust.input(.trustList, "trust") }
}

extension CloseRoundJob {
    public var inputs: [JobInput] {
        [JobInput(folder, .roundFolder, setting: nil), JobInput(key, .privateKey, setting: "key")]
            + trust.input(.trustList, "trust") + previous.input(.model, "previous")
    }
}
